import process from 'node:process';
import {ignore} from '../server-options.ts';

/** What an adapter does that cannot be guarded against, and what to do instead. */
const warnings = {
	'keyv-file': {
		code: 'GOT_CACHE_KEYV_FILE',
		text: '`keyv-file` keeps all its entries in one file, which each process reads once and writes as a whole: of several processes each loses what the others wrote, and a process that is killed while it writes loses everything. Give it `separatedFile: true`, or use the store `\'sqlite\'` or `\'filesystem\'`.',
	},
	'@keyv/mongo': {
		code: 'GOT_CACHE_KEYV_MONGO',
		text: 'An adapter of `@keyv/mongo` could not connect, and will not try again: its calls never answer, and each takes the whole `storeTimeout`. Make another one when the server is there, or use the store `\'@keyv/mongo\'` or `\'mongodb\'`, which connect again.',
	},
	'@keyv/mongo useGridFS': {
		code: 'GOT_CACHE_KEYV_GRIDFS',
		text: '`@keyv/mongo` with `useGridFS` adds a revision with each write, reads all files to list its keys, and ends the process by an uncaught error when its connection fails during a write. Use the store `\'gridfs\'`.',
	},
} as const;

const given = new Set<string>();

/** Warns of an adapter, once in a process however many of its kind there are. */
export function warnOnce(kind: keyof typeof warnings): void {
	if (given.has(kind)) {
		return;
	}

	given.add(kind);
	const {code, text} = warnings[kind];
	process.emitWarning(text, {code});
}

/**
Warns of what an adapter that was handed in is known to do wrong.
*/
export function warnOfFaults(adapter: object): void {
	const {opts, connect} = adapter as FaultyAdapter;
	if (opts?.separatedFile === false && opts.expiredCheckDelay !== undefined) {
		warnOnce('keyv-file');
	}

	if (isGridFs(adapter)) {
		warnOnce('@keyv/mongo useGridFS');
	}

	if (opts?.collection !== undefined && connect instanceof Promise) {
		warnOfConnecting(adapter, connect);
	}
}

/** Whether it is `@keyv/mongo` with `useGridFS`. */
export function isGridFs(adapter: object): boolean {
	const {opts} = adapter as FaultyAdapter;
	return opts?.useGridFS === true && opts.collection !== undefined;
}

/** Whether two writes to one key at once, or two revisions of it, would harm each other: of `keyv-file` with `separatedFile`, and `@keyv/mongo` with `useGridFS`. */
export function mustWriteInTurn(adapter: object): boolean {
	const {opts} = adapter as FaultyAdapter;
	return isGridFs(adapter) || (opts?.separatedFile === true && opts.expiredCheckDelay !== undefined);
}

const writes = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Runs a write to a key when those before it have ended. */
export async function writeInTurn<T>(adapter: object, key: string, write: () => Promise<T>): Promise<T> {
	const ofAdapter = writes.get(adapter) ?? new Map<string, Promise<unknown>>();
	writes.set(adapter, ofAdapter);
	const before = ofAdapter.get(key);
	const written = before === undefined ? write() : before.catch(ignore).then(write);
	ofAdapter.set(key, written);
	try {
		return await written;
	} finally {
		if (ofAdapter.get(key) === written) {
			ofAdapter.delete(key);
		}
	}
}

/** The adapters, by structure: several copies of one may be installed. */
type FaultyAdapter = {
	readonly opts?: {
		readonly separatedFile?: unknown;
		readonly expiredCheckDelay?: unknown;
		readonly useGridFS?: unknown;
		readonly collection?: unknown;
	};
	readonly connect?: unknown;
	on?(event: 'error', listener: () => void): unknown;
};

/** Its `connect` never settles where it fails; all that tells is an event. */
function warnOfConnecting(adapter: FaultyAdapter, connect: Promise<unknown>): void {
	let isConnected = false;
	void connect.then(() => {
		isConnected = true;
	});
	adapter.on?.('error', () => {
		if (!isConnected) {
			warnOnce('@keyv/mongo');
		}
	});
}

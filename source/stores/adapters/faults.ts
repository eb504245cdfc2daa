import process from 'node:process';
import {ignore} from '../server-options.ts';

/** Faults of adapters that the store cannot work around, and what to use instead. */
const warnings = {
	'keyv-file': {
		code: 'GOT_CACHE_KEYV_FILE',
		text: '`keyv-file` stores all its entries in one file, which each process reads once and writes as a whole: several processes lose each other\'s entries, and a process that is killed during a write loses all of them. Set `separatedFile: true`, or use the store `\'sqlite\'` or `\'filesystem\'`.',
	},
	'@keyv/mongo': {
		code: 'GOT_CACHE_KEYV_MONGO',
		text: 'An adapter of `@keyv/mongo` could not connect, and will not try again: its calls never answer, and each takes the whole `storeTimeout`. Make another adapter when the server is available, or use the store `\'@keyv/mongo\'` or `\'mongodb\'`, which connect again.',
	},
	'@keyv/mongo useGridFS': {
		code: 'GOT_CACHE_KEYV_GRIDFS',
		text: '`@keyv/mongo` with `useGridFS` adds a revision with each write, reads all files to list its keys, and ends the process by an uncaught error if its connection fails during a write. Use the store `\'gridfs\'`.',
	},
} as const;

/** The parts of adapters by which they are recognized, since several copies of a package may be installed. */
type Adapter = {
	readonly opts?: {
		readonly separatedFile?: unknown;
		readonly expiredCheckDelay?: unknown;
		readonly useGridFS?: unknown;
		readonly collection?: unknown;
	};
	readonly connect?: unknown;
	on?(event: 'error', listener: () => void): unknown;
};

const warned = new Set<string>();

/** Emits a warning once in a process. */
function warnOnce(kind: keyof typeof warnings): void {
	if (warned.has(kind)) {
		return;
	}

	warned.add(kind);
	const {code, text} = warnings[kind];
	process.emitWarning(text, {code});
}

/** Warns of the known faults of an adapter that was handed in. */
export function warnOfFaults(adapter: Adapter): void {
	const {opts, connect} = adapter;
	if (isKeyvFile(adapter) && opts?.separatedFile === false) {
		warnOnce('keyv-file');
	}

	if (isGridFs(adapter)) {
		warnOnce('@keyv/mongo useGridFS');
	}

	if (opts?.collection === undefined || !(connect instanceof Promise)) {
		return;
	}

	// If connecting fails, the promise never settles, and only an event is emitted.
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

/** Whether it is an adapter of `@keyv/mongo` with `useGridFS`. */
export function isGridFs({opts}: Adapter): boolean {
	return opts?.useGridFS === true && opts.collection !== undefined;
}

/** Whether two writes to one key at once would damage its value. */
export function mustWriteInTurn(adapter: Adapter): boolean {
	return isGridFs(adapter) || (isKeyvFile(adapter) && adapter.opts?.separatedFile === true);
}

function isKeyvFile({opts}: Adapter): boolean {
	return opts?.expiredCheckDelay !== undefined;
}

const writes = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Runs a write to a key when the writes before it have ended. */
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

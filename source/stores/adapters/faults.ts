import {warnOnce} from '../../warnings.ts';
import {ignore} from '../server-options.ts';

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

/** Warns of the known faults of an adapter that was handed in, which the store cannot work around. */
export function warnOfFaults(adapter: Adapter): void {
	const {opts, connect} = adapter;
	if (isKeyvFile(adapter) && opts?.separatedFile === false) {
		warnOnce('GOT_CACHE_KEYV_FILE');
	}

	if (isGridFs(adapter)) {
		warnOnce('GOT_CACHE_KEYV_GRIDFS');
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
			warnOnce('GOT_CACHE_KEYV_MONGO');
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

import {AsyncLocalStorage} from 'node:async_hooks';
import {CacheHooksError} from '../errors.ts';
import type {KeyvInstance} from './keyv-shapes.ts';

type Call = {fault?: {readonly error: unknown}};

/** The call in which an `error` event happens: one instance has many at once. */
const calls = new AsyncLocalStorage<Call>();
const heard = new WeakSet();

/**
Hears the instance's `error` events, once however often it is asked: without a listener Keyv 6 throws them, and an adapter would end the process.
*/
export function hearErrors(keyv: KeyvInstance): void {
	if (heard.has(keyv)) {
		return;
	}

	heard.add(keyv);
	keyv.on('error', error => {
		const call = calls.getStore();
		if (call !== undefined) {
			call.fault ??= {error};
		}
	});
}

/**
Runs one call of a Keyv instance that is heard. An error that it only emits as an event, and answers as if there was nothing, is thrown.
*/
export async function throwingFaults<T>(action: () => Promise<T>): Promise<T> {
	const call: Call = {};
	const result = await calls.run(call, action);
	if (call.fault !== undefined) {
		const {error} = call.fault;
		throw error instanceof Error ? error : new CacheHooksError('ERR_STORE_FAULT', `The Keyv store failed: ${String(error)}`);
	}

	return result;
}

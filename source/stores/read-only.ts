import {CacheHooksError} from '../errors.ts';
import type {Store} from './types.ts';

const writes: ReadonlySet<string | symbol> = new Set<keyof Store>(['set', 'add', 'delete', 'deleteMany', 'deleteFound', 'clear']);

/** Whether a call of a store changes it. */
export function isWrite(operation: string | symbol): boolean {
	return writes.has(operation);
}

/** Whether an error says that a write was refused because the store is read-only. */
export function isReadOnlyError(error: unknown): boolean {
	return error instanceof CacheHooksError && error.code === 'ERR_STORE_READ_ONLY';
}

/**
Wraps a store so that it is only read: calls that write throw `ERR_STORE_READ_ONLY` and do not reach the store.
*/
export function readOnlyStore(store: Store): Store {
	const refuse = (): never => {
		throw new CacheHooksError('ERR_STORE_READ_ONLY', `The store \`${store.name}\` is read-only.`);
	};

	return new Proxy(store, {
		get(target, name) {
			// `keepRecordings` is about files that are created, and locks are written.
			const value: unknown = name === 'keepRecordings' || name === 'locks' ? undefined : Reflect.get(target, name, target);
			if (typeof value !== 'function') {
				return value;
			}

			return isWrite(name) ? refuse : value.bind(target) as unknown;
		},
	});
}

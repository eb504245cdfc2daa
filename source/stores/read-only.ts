import {CacheHooksError} from '../errors.ts';
import type {Store} from './types.ts';

const writes: ReadonlySet<string | symbol> = new Set<keyof Store>(['set', 'add', 'delete', 'deleteMany', 'deleteFound', 'clear']);

/** Whether an error says that a write was refused, since nothing may be written. */
export function isReadOnlyError(error: unknown): boolean {
	return error instanceof CacheHooksError && error.code === 'ERR_STORE_READ_ONLY';
}

/**
A store as it is for reading: calls that write throw `ERR_STORE_READ_ONLY`, and none of them reaches the store.
*/
export function readOnlyStore(store: Store): Store {
	const methods = new Map<string | symbol, unknown>();
	const refuse = (): never => {
		throw new CacheHooksError('ERR_STORE_READ_ONLY', `The store \`${store.name}\` is only read`);
	};

	return new Proxy(store, {
		get(target, name) {
			const value: unknown = Reflect.get(target, name, target);
			if (typeof value !== 'function') {
				return value;
			}

			// It is about files that are made.
			if (name === 'keepRecordings') {
				return undefined;
			}

			const method = methods.get(name) ?? (writes.has(name) ? refuse : value.bind(target) as unknown);
			methods.set(name, method);
			return method;
		},
	});
}

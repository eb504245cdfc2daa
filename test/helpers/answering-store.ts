import type {MaybePromise, Store} from '../../source/index.ts';

export type Operation = 'get' | 'set' | 'delete';

/** Creates a store of text whose calls a test answers: synchronously or not, with a value or an error. */
export function answeringStore(answer: <Value>(operation: Operation, action: () => Value) => MaybePromise<Value>): Store {
	const values = new Map<string, string>();
	return {
		name: 'answering',
		valueType: 'text',
		get: key => answer('get', () => values.get(key)),
		set: (key, value) => answer('set', () => {
			values.set(key, value as string);
		}),
		delete: key => answer('delete', () => values.delete(key)),
		deleteMany: keys => answer('delete', () => {
			for (const key of keys) {
				values.delete(key);
			}
		}),
		clear() {
			values.clear();
		},
		async * iterate() {
			yield * values;
		},
		close() {},
	};
}

import type {MaybePromise, Store} from '../../source/index.ts';

export type Operation = 'get' | 'set' | 'delete';

/** A store of text that answers as a test wants it to: at once or later, with a value or with a fault. */
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

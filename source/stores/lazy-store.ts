import {ignore, onceSuccessful} from './server-options.ts';
import type {Store} from './types.ts';

/** What is known of a store before its module is loaded. */
export type Facts<Loaded extends Store> = Pick<Store, 'name' | 'valueType' | 'scope' | 'path'> & {
	/** The methods that this store has beside those of every store. Each returns a promise. */
	readonly methods?: ReadonlyArray<keyof Loaded>;

	/** Those that return an asynchronous iterable. */
	readonly iterators?: ReadonlyArray<keyof Loaded>;
};

type Methods = Readonly<Record<PropertyKey, (...values: readonly unknown[]) => unknown>>;

/**
Returns a store whose module is loaded from now on, since most programs use one store of many. Calls wait for it. If that fails, the next call tries again.

@param load - Imports the module, and makes the store. The options have been checked already.
*/
export function lazyStore<Loaded extends Store>(description: Facts<Loaded>, load: () => Promise<Loaded>): Loaded {
	const {methods = [], iterators = [], ...facts} = description;
	let loaded: Loaded | undefined;
	const open = onceSuccessful(async () => {
		loaded = await load();
		return loaded as unknown as Methods;
	});

	// Not by the first call: its time limit would pass meanwhile. A call throws the error.
	void open().catch(ignore);
	const promising = ['get', 'set', 'delete', 'deleteMany', 'clear', 'close', ...methods].map(name => [
		name,
		(...values: readonly unknown[]) => loaded === undefined
			? open().then(store => store[name](...values))
			: (loaded as unknown as Methods)[name](...values),
	] as const);
	const iterating = ['iterate', ...iterators].map(name => [name, async function * (...values: readonly unknown[]) {
		const store = await open();
		yield * store[name](...values) as AsyncIterable<unknown>;
	}] as const);
	return {...facts, ...Object.fromEntries([...promising, ...iterating])} as unknown as Loaded;
}

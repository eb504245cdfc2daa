import {closedError, ignore, onceSuccessful} from './server-options.ts';
import type {Store} from './types.ts';

/** What is known of a store before its module is loaded. */
export type Facts<Loaded extends Store> = Pick<Store, 'name' | 'valueType' | 'scope' | 'path'> & {
	/** The methods that this store has beside those of every store. Each returns a promise. */
	readonly methods?: ReadonlyArray<keyof Loaded>;

	/** Those that return an asynchronous iterable. */
	readonly iterators?: ReadonlyArray<keyof Loaded>;

	/** Whether the module is loaded when the store is made, and not by the first call, whose time limit would pass meanwhile. Default: `true`. */
	readonly isEager?: boolean;
};

type Methods = Readonly<Record<PropertyKey, (...values: readonly unknown[]) => unknown>>;

/**
Returns a store whose module is loaded later, since most programs use one store of many. Calls wait for it. If that fails, the next call tries again.

@param make - Imports the module, and makes the store. The options have been checked already.
*/
export function lazyStore<Loaded extends Store>(description: Facts<Loaded>, make: () => Promise<Loaded>): Loaded {
	const {methods = [], iterators = [], isEager = true, ...facts} = description;
	let loaded: Methods | undefined;
	let isClosed = false;
	const expectOpen = (): void => {
		if (isClosed) {
			throw closedError(`${facts.name} store`);
		}
	};

	const load = onceSuccessful(async () => {
		expectOpen();
		loaded = await make() as unknown as Methods;
		return loaded;
	});
	const open = async (): Promise<Methods> => {
		expectOpen();
		return load();
	};

	if (isEager) {
		// A call throws the error.
		void load().catch(ignore);
	}

	const promising = ['get', 'set', 'delete', 'deleteMany', 'clear', ...methods].map(name => [
		name,
		(...values: readonly unknown[]) => loaded === undefined ? open().then(store => store[name](...values)) : loaded[name](...values),
	] as const);
	const iterating = ['iterate', ...iterators].map(name => [name, async function * (...values: readonly unknown[]) {
		const store = await open();
		yield * store[name](...values) as AsyncIterable<unknown>;
	}] as const);
	const close = async (): Promise<void> => {
		isClosed = true;
		// What could not be opened, or was not, needs no closing.
		const store = await load().catch(() => undefined) as unknown as Store | undefined;
		loaded = undefined;
		await store?.close();
	};

	return {...facts, ...Object.fromEntries([...promising, ...iterating]), close} as unknown as Loaded;
}

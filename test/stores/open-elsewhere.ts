import {createStore, type Store, type StoreName} from '../../source/index.ts';

type Elsewhere = {readonly module: string; readonly args: readonly [name: string, options: string]};

/**
What the contract's tests need to open a store in another process, as they have opened it in theirs.

@param options - Those of `createStore`; `{namespace}` in a text stands for the namespace.
*/
export function elsewhere(name: StoreName, options: object): Elsewhere {
	return {module: import.meta.url, args: [name, JSON.stringify(options)]};
}

export function open(namespace: string, name: string, options: string): Store {
	return createStore(name as StoreName, JSON.parse(options.replaceAll('{namespace}', () => namespace)) as object);
}

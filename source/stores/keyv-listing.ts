import {
	storageOf,
	throwingErrors,
	type KeyvInstance,
	type KeyvStorage,
} from './keyv-instances.ts';

/** What Keyv 6 wraps around Maps and adapters for Keyv 5. */
type Wrapper = {readonly namespace?: string; readonly namespaceSeparator?: string};

/**
Returns a function that lists the keys of a cache, without the prefix and each once, or `undefined` if the storage cannot list its keys.

It asks the storage, which may be in use by others, and not the instance, which decodes all values, fails if it cannot, and deletes what has expired.

@param instancePrefix - What Keyv 5 puts before each key.
@param prefix - What each key of the cache begins with. It ends with `::`.
*/
export function keyLister(keyv: KeyvInstance, instancePrefix: string, prefix: string): (() => Promise<string[]>) | undefined {
	const storage = storageOf(keyv);
	if (isMapLike(storage)) {
		return async () => {
			const storedPrefix = prefixIn(storage, keyv, instancePrefix) + prefix;
			const keys = [...storage.keys!()].filter(key => typeof key === 'string');
			return keys.filter(key => key.startsWith(storedPrefix)).map(key => key.slice(storedPrefix.length));
		};
	}

	if (typeof storage.iterator !== 'function') {
		return undefined;
	}

	return async () => {
		const storedPrefix = prefixIn(storage, keyv, instancePrefix) + prefix;
		for (const namespace of namespacesToAsk(storage, keyv, storedPrefix)) {
			const keys = await keysIn(storage, namespace, storedPrefix, prefix); // eslint-disable-line no-await-in-loop -- Most storages answer the first question.
			if (keys.length > 0) {
				return keys;
			}
		}

		return [];
	};
}

/**
Returns the arguments with which the storage is asked until it lists something. Adapters take theirs for a namespace, which is the beginning of keys before `:` or `::`, and for some a pattern. The beginning of our own keys comes first, so that nothing else is read.
*/
function namespacesToAsk(storage: KeyvStorage, keyv: KeyvInstance, storedPrefix: string): Set<string | undefined> {
	const own = storedPrefix.slice(0, -'::'.length);
	const {namespace = ''} = storage;
	const inNamespace = namespace === '' ? [] : [`${namespace}::${own}`, namespace];
	// The first argument is escaped for Redis, for which the others would be a pattern that matches other keys or none.
	const escaped = [...namespace === '' ? [] : [namespace], own].map(part => part.replaceAll(/[*?\[\\\]]/gv, String.raw`\$&`)).join('::');
	const ofInstance = keyv.namespace ?? '';
	return new Set([escaped, own, ...inNamespace, ...ofInstance === '' ? [] : [ofInstance], undefined]);
}

async function keysIn(storage: KeyvStorage, asked: string | undefined, storedPrefix: string, prefix: string): Promise<string[]> {
	const listed = await throwingErrors(async () => Array.fromAsync(storage.iterator!(asked), entry => Array.isArray(entry) ? entry[0] as unknown : entry));
	const keys = new Set(listed.filter(key => typeof key === 'string'));
	const {namespace = ''} = storage;
	const prefixes = [storedPrefix, ...namespace === '' ? [] : [`${namespace}::${storedPrefix}`, `${namespace}:${storedPrefix}`]];
	const own = new Set<string>();
	for (const key of keys) {
		const found = prefixes.find(known => key.startsWith(known));
		if (found !== undefined) {
			own.add(key.slice(found.length));
		}
	}

	// An adapter that removes what it was asked for leaves no prefix on any key. A read then shows whether a key is ours.
	const isPrefixRemoved = own.size === 0 && asked !== undefined && prefix.endsWith(`${asked.slice(-(prefix.length - 2))}::`);
	return [...isPrefixRemoved ? keys : own];
}

/** Returns what Keyv puts before our keys in the storage. */
function prefixIn(storage: KeyvStorage, keyv: KeyvInstance, instancePrefix: string): string {
	const {namespace = '', namespaceSeparator = ''} = keyv.store as Wrapper;
	const isWrapped = storage !== keyv.store && namespace !== '';
	// An adapter that handles the namespace itself has received it from the wrapper.
	const isHandledByStorage = storage.namespace === namespace && !isMapLike(storage);
	return isWrapped && !isHandledByStorage ? namespace + namespaceSeparator : instancePrefix;
}

function isMapLike(storage: KeyvStorage): boolean {
	return storage instanceof Map || (typeof storage.iterator !== 'function' && typeof storage.keys === 'function' && typeof storage.entries === 'function');
}

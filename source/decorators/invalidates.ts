import type {CacheCore} from '../cache/core.ts';
import {
	callInScope,
	scopes,
	Layer,
	type Scope,
} from '../exchange/scope.ts';
import {SettingError} from '../errors.ts';
import {isUrlPattern, type UrlPattern} from '../policy/url-patterns.ts';
import {methodName} from './call-names.ts';
import {enterClass, placeOf} from './class-settings.ts';
import type {CallDecorator} from './decorator-types.ts';
import {defaultClient} from './default-client.ts';
import {decorate} from './dialects.ts';
import {forgetAll} from './forget.ts';
import type {AnyFunction} from './function-twin.ts';
import {holdScope} from './hold-scope.ts';
import {invalidatesKey} from './metadata.ts';
import {resultFunctionOf} from './result-function.ts';
import {classFunction} from './scoped-function.ts';

/** What a method makes outdated. */
export type Invalidated = {
	/** What was stored with one of these tags. */
	readonly tags?: readonly string[];

	/** What was stored of URLs that match: patterns as in `urlsExpireAfter`. */
	readonly urls?: readonly UrlPattern[];

	/** What was stored of these requests, for whomever. */
	readonly requests?: ReadonlyArray<{readonly method?: string; readonly url: string | URL}>;

	/** Methods of the same class that keep their results (`result: true`), whatever the arguments. */
	readonly methods?: readonly string[];
};

type Inputs = readonly unknown[];
type Given = Invalidated | ((self: unknown, ...inputs: readonly unknown[]) => Invalidated);

/**
Deletes what a method makes outdated, once it has succeeded and before its promise resolves: from the cache of its class, and from the caches of the clients that it asked. All that is stored there is looked at. A method that gives no promise does not wait for it.

@param invalidated - What is deleted, or a function of the object and the arguments that gives it.
@throws {TypeError | CacheHooksError} At definition, where something of it is wrong or it does not stand on a method.

@example
```
class GitHub {
	@Invalidates((self, name) => ({urls: [`api.example.com/users/${name}`], methods: ['repos']}))
	async createRepo(name: string) {
		return client.post(`https://api.example.com/users/${name}/repos`);
	}
}
```
*/
export function Invalidates<This, Arguments extends any[]>(invalidated: Invalidated | ((self: This, ...inputs: Arguments) => Invalidated)): CallDecorator<This, Arguments> { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	const given = invalidated as Given;
	if (typeof given !== 'function') {
		checkInvalidated(given);
	}

	return (...inputs: unknown[]) => decorate({
		label: '@Invalidates()',
		metadata: [invalidatesKey, typeof given === 'function' ? {invalidated: given} : given],
		make: original => invalidating(original, given),
	}, inputs);
}

function invalidating(original: AnyFunction, given: Given): AnyFunction {
	return classFunction(original, function (this: unknown, ...inputs: unknown[]): unknown {
		const asked = new Set<CacheCore>();
		const outer = enterClass(this, scopes.getStore());
		const scope = new Layer({
			settings: {},
			onCache(cache) {
				asked.add(cache);
			},
		}).within(outer);
		const forget = async (): Promise<void> => invalidate(this, inputs, given, {asked, scope: outer});
		const result: unknown = holdScope(callInScope<unknown, unknown[], unknown>(scope, original, this, inputs), scope);
		if (result instanceof Promise) {
			return afterSuccess(result, forget);
		}

		defaultClient().cache.writes.hold(forget());
		return result;
	});
}

/** The promise, with whatever methods it has of its own, as Got's; they wait for it, too. */
function afterSuccess(promise: Promise<unknown>, forget: () => Promise<void>): Promise<unknown> {
	const later = (async () => {
		const value = await promise;
		await forget();
		return value;
	})();
	const own = Object.getOwnPropertyDescriptors(promise);
	const isGots = Object.keys(own).length > 0;
	if (isGots) {
		// Who asks only for its `json()` is told of the failure there.
		later.catch(() => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	}

	return isGots ? Object.defineProperties(later, own) : later;
}

type Where = {readonly asked: Set<CacheCore>; readonly scope: Scope | undefined};

/** A fault of it is told, and does not become the method's, which has done what it was to do. */
async function invalidate(self: unknown, inputs: Inputs, given: Given, {asked, scope}: Where): Promise<void> {
	const client = callInScope(scope, () => defaultClient().inScope, undefined, []);
	try {
		const {tags = [], urls = [], requests = [], methods = []} = typeof given === 'function' ? given(self, ...inputs) : given;
		checkInvalidated({
			tags, urls, requests, methods,
		});
		const calls = methods.map(name => callOf(self, name, client.cache));
		const isStoredByClass = scope?.clients.some(({cache}) => cache !== undefined) ?? false;
		const caches = new Set([...asked, ...calls.map(({cache}) => cache), ...(isStoredByClass ? [client.cache] : [])]);
		await Promise.all(Array.from(caches, async cache => forgetAll(cache, {
			tags, urls, requests, calls: calls.filter(call => call.cache === cache).map(({name}) => name),
		})));
	} catch (error) {
		client.cache.events.emit('settingError', {setting: 'Invalidates', error});
	}
}

/** The results of a method, whatever the arguments. Where a decorator above ours has taken its place, its name is made of the class's. */
function callOf(self: unknown, name: string, cache: CacheCore): {readonly cache: CacheCore; readonly name: string} {
	const kept = resultFunctionOf((self as Record<string, unknown> | undefined)?.[name]);
	return kept?.placeFor(self) ?? {cache, name: methodName(placeOf(self), name, `\`${name}\``)};
}

const rows: Readonly<Record<keyof Invalidated, readonly [allowed: string, isAllowed: (item: unknown) => boolean]>> = {
	tags: ['a tag: a string that is not empty', isText],
	urls: ['a glob, a RegExp or a URLPattern', isUrlPattern],
	requests: ['a request: an object with a `url`', item => URL.canParse(String((item as {url?: unknown} | undefined)?.url))],
	methods: ['the name of a method', isText],
};

function checkInvalidated(given: Invalidated): void {
	if (typeof given !== 'object' || given === null) {
		throw new SettingError('Invalidates', given, 'an object of `tags`, `urls`, `requests` and `methods`, or a function that gives one');
	}

	for (const [name, list] of Object.entries(given)) {
		const row = Object.hasOwn(rows, name) ? rows[name as keyof Invalidated] : undefined;
		if (row === undefined || !Array.isArray(list)) {
			throw new SettingError(`Invalidates.${name}`, list, row === undefined ? 'absent: there are `tags`, `urls`, `requests` and `methods`' : 'an array');
		}

		const wrong = list.findIndex(item => !row[1](item));
		if (wrong !== -1) {
			throw new SettingError(`Invalidates.${name}[${wrong}]`, list[wrong], row[0]);
		}
	}
}

function isText(value: unknown): boolean {
	return typeof value === 'string' && value !== '';
}

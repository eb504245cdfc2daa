import {subscribe} from 'node:diagnostics_channel';
import {AsyncLocalStorage} from 'node:async_hooks';
import type {Options} from 'got';
import {networkRefusal, networkRefusals} from '../../exchange/scope.ts';
import {DEFAULT_IGNORED_PARAMETERS, compileIgnored, type Ignored} from '../../identity/credentials.ts';
import {redactUrl} from '../../identity/references.ts';
import {registryName} from '../attempt-options.ts';
import type {CacheClient} from '../cache-hooks.ts';
import {ownCacheChannel, type OwnCacheMessage} from '../register-channel.ts';
import {UnreachedGot} from './unreached.ts';

type Method = Options['getRequestFunction'];

/** The class `Options` of one physical copy of Got. */
export type OptionsClass = typeof Options;

/** A cache that is installed for a process or a call tree. */
export type Installed = {
	readonly client: CacheClient;

	/** Returns the function for Got to call instead of its request function. */
	readonly transportFor: (options: Options) => ReturnType<Method> | undefined;
};

type Scope = {readonly installed: Installed | undefined};

/**
The registry of the cache that is installed for the process. Copies of Got that are loaded after its creation have a subclass of their class `Options`, whose `getRequestFunction` returns the transport of the installed cache.

Got calls `getRequestFunction` once all hooks have run. Instances that were created before the installation do, too.
*/
export class ProcessRegistry {
	readonly #classes = new WeakSet<object>();
	readonly #scopes = new AsyncLocalStorage<Scope>();

	/** The options of attempts that have a cache. For these, the cache itself calls `getRequestFunction`. */
	readonly #served = new WeakSet<object>();
	#installed: Installed | undefined;

	/** Finds the copies of Got that have no such subclass. */
	readonly unreached: UnreachedGot = new UnreachedGot(() => this.current !== undefined, options => this.#classes.has(options.constructor));

	/** The cache that is installed for the call tree or, if that has none of its own, for the process. */
	get current(): Installed | undefined {
		const scope = this.#scopes.getStore();
		return scope === undefined ? this.#installed : scope.installed;
	}

	get ofProcess(): Installed | undefined {
		return this.#installed;
	}

	/** Returns the installed cache for an instance of a copy of Got that was loaded after the creation of the registry. */
	installedFor({constructor}: object): Installed | undefined {
		return this.#classes.has(constructor) ? this.current : undefined;
	}

	/** Returns the subclass that replaces the class `Options` of a copy of Got; the class itself if it is one. */
	adopt(original: OptionsClass): OptionsClass {
		if (this.#classes.has(original)) {
			return original;
		}

		const registry = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- The method of the subclass has its own `this`.
		const adopted: OptionsClass = class Options extends original {
			constructor(...parameters: ConstructorParameters<OptionsClass>) {
				super(...parameters);
				registry.unreached.noteReachedOptions();
			}

			override getRequestFunction(): ReturnType<Method> {
				return registry.#requestFunction(this, () => super.getRequestFunction());
			}
		};
		// Packages such as got-scraping look for Got's own properties on the prototype.
		const {constructor: _constructor, getRequestFunction: _getRequestFunction, ...inherited} = Object.getOwnPropertyDescriptors(original.prototype);
		Object.defineProperties(adopted.prototype, inherited);
		this.#classes.add(adopted);
		return adopted;
	}

	install(installed: Installed | undefined): void {
		this.#installed = installed;
		if (installed !== undefined) {
			this.unreached.watch();
		}
	}

	/** Runs a function in whose call tree another cache is installed, or none. */
	run<Result>(installed: Installed | undefined, action: () => Result): Result {
		if (installed !== undefined) {
			this.unreached.watch();
		}

		return this.#scopes.run({installed}, action);
	}

	/** Notes that the request with these options has a cache, since one request has one cache. */
	markServed(options: object): void {
		this.#served.add(options);
	}

	#requestFunction(options: Options, plain: () => ReturnType<Method>): ReturnType<Method> {
		// With its own `cache` option, Got calls the request function in another way, and a second cache would be of no use.
		const serving = options.cache === undefined && !this.#served.has(options) ? this.current : undefined;
		const transport = serving?.transportFor(options);
		if (transport !== undefined) {
			return transport;
		}

		return networkRefusals.getStore() === true && !this.#served.has(options) ? refusing(options.method) : plain();
	}
}

/** Returns a request function for `withoutNetwork`, which refuses a request without a cache. */
function refusing(method: string): ReturnType<Method> {
	return (url: URL) => {
		throw networkRefusal(method, redactUrl(url.href, compileIgnored([...DEFAULT_IGNORED_PARAMETERS]) as Ignored), 'no cache');
	};
}

/** Returns the code for the subclass of a class with the name `options`. */
export const adoptionCode = (options: string): string => `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(registryName))})].adopt(${options})`;

/** Creates the registry of this process. */
export function createRegistry(): ProcessRegistry {
	const registry = new ProcessRegistry();
	Object.defineProperty(globalThis, registryName, {value: registry});
	subscribe(ownCacheChannel.name, message => {
		registry.unreached.noteOwnCache(message as OwnCacheMessage);
	});
	return registry;
}

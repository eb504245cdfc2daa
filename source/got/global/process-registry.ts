import {AsyncLocalStorage} from 'node:async_hooks';
import type {Options} from 'got';
import {networkRefusal, networkRefusals} from '../../exchange/scope.ts';
import {DEFAULT_IGNORED_PARAMETERS, compileIgnored, type Ignored} from '../../identity/credentials.ts';
import {redactUrl} from '../../identity/references.ts';
import {findRegistry, registryName} from '../attempt-options.ts';
import type {CacheClient} from '../cache-hooks.ts';

type Method = Options['getRequestFunction'];

/** The class `Options` of one physical copy of Got. */
type OptionsClass = typeof Options;

/** A cache as it serves a process or a call tree. */
export type Installed = {
	readonly client: CacheClient;

	/** What Got is to call in place of its request function. */
	readonly transportFor: (options: Options) => ReturnType<Method> | undefined;
};

type Scope = {readonly installed: Installed | undefined};

/**
Where a cache is installed for the process. The copies of Got that load after it have a subclass of their class `Options`, whose request function leads here.

The request function is what Got asks its options for once all hooks have run, as the transport of a single client relies on as well. It is reached by instances that were made before the installation, too.
*/
export class ProcessRegistry {
	readonly #classes = new WeakSet<object>();
	readonly #scopes = new AsyncLocalStorage<Scope>();

	// Each attempt has options of its own. Who asks again is the cache itself.
	readonly #served = new WeakSet<object>();
	#installed: Installed | undefined;

	/** What serves here: of the call tree, if it has its own, else of the process. */
	get current(): Installed | undefined {
		const scope = this.#scopes.getStore();
		return scope === undefined ? this.#installed : scope.installed;
	}

	get ofProcess(): Installed | undefined {
		return this.#installed;
	}

	/** What serves an instance of a Got that was loaded after the registry was made. */
	installedFor({constructor}: object): Installed | undefined {
		return this.#classes.has(constructor) ? this.current : undefined;
	}

	/** The subclass that takes the place of the class of a copy of Got. */
	adopt(original: OptionsClass): OptionsClass {
		const registry = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- The method has a `this` of its own.
		const adopted: OptionsClass = class Options extends original {
			override getRequestFunction(): ReturnType<Method> {
				return registry.#requestFunction(this, () => super.getRequestFunction());
			}
		};
		this.#classes.add(adopted);
		return adopted;
	}

	install(installed: Installed | undefined): void {
		this.#installed = installed;
	}

	/** Runs a function in whose call tree something else is installed, or nothing. */
	run<Result>(installed: Installed | undefined, action: () => Result): Result {
		return this.#scopes.run({installed}, action);
	}

	/** A request with these options has a cache: one request has one. */
	markServed(options: object): void {
		this.#served.add(options);
	}

	#requestFunction(options: Options, plain: () => ReturnType<Method>): ReturnType<Method> {
		// Got's own `cache` calls the request function in a way of its own; two caches in a row serve nobody.
		const serving = options.cache === undefined && !this.#served.has(options) ? this.current : undefined;
		const transport = serving?.transportFor(options);
		if (transport !== undefined) {
			return transport;
		}

		return networkRefusals.getStore() === true && !this.#served.has(options) ? refusing(options.method) : plain();
	}
}

/** What a request without a cache is sent by where nothing may be. */
function refusing(method: string): ReturnType<Method> {
	return (url: URL) => {
		throw networkRefusal(method, redactUrl(url.href, compileIgnored([...DEFAULT_IGNORED_PARAMETERS]) as Ignored), 'no cache');
	};
}

/** The code that gives the subclass, where `options` names the class of a copy of Got. */
export const adoptionCode = (options: string): string => `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(registryName))})].adopt(${options})`;

/**
Creates the registry of this process.

@returns `undefined` where there was one before.
*/
export function createRegistry(): ProcessRegistry | undefined {
	if (findRegistry() !== undefined) {
		return undefined;
	}

	const registry = new ProcessRegistry();
	Object.defineProperty(globalThis, registryName, {value: registry});
	return registry;
}

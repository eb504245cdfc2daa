import {AsyncLocalStorage} from 'node:async_hooks';
import type {Options} from 'got';
import {isNetworkRefused, networkRefusal} from '../../exchange/network.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../../identity/credentials.ts';
import {compileIgnored, type Ignored} from '../../identity/ignored.ts';
import {redactUrl} from '../../identity/url.ts';
import type {CacheClient} from '../create-client.ts';
import {plainMethod, type InstalledMethod} from '../request-function.ts';

type Method = Options['getRequestFunction'];

/** The class `Options` of one physical copy of Got. */
export type OptionsClass = {readonly prototype: Pick<Options, 'getRequestFunction'>};

/** A cache as it serves a process or a call tree. */
export type Installed = {
	readonly client: CacheClient;

	/** What Got is to call in place of its request function. */
	readonly transportFor: (options: Options) => ReturnType<Method> | undefined;
};

type Scope = {readonly installed: Installed | undefined};

/**
Where a cache is installed for the process. The copies of Got that load after it put their class `Options` here; only while something is installed or asked for, the request function of these classes leads to it. So nothing is different, and nothing costs, while nothing is.

The request function is what Got asks its options for once all hooks have run, as the transport of a single client relies on as well. It is reached by instances that were made before the installation, too.
*/
export class Seat {
	readonly #classes = new Set<OptionsClass>();
	readonly #scopes = new AsyncLocalStorage<Scope>();

	// Each attempt has options of its own. Who asks again is the cache itself, perhaps through what somebody has put over our method.
	readonly #served = new WeakSet<Options>();
	readonly #plain = new WeakMap<OptionsClass, PropertyDescriptor>();
	#installed: Installed | undefined;
	#holders = 0;

	/** What serves here: of the call tree, if it has its own, else of the process. */
	get current(): Installed | undefined {
		const scope = this.#scopes.getStore();
		return scope === undefined ? this.#installed : scope.installed;
	}

	get ofProcess(): Installed | undefined {
		return this.#installed;
	}

	/** What serves an instance of a Got that was loaded after the seat was made. */
	servingOptions(options: object): Installed | undefined {
		return this.#classes.values().some(({prototype}) => Object.prototype.isPrototypeOf.call(prototype, options)) ? this.current : undefined;
	}

	adopt(options: OptionsClass): void {
		this.#classes.add(options);
		this.#update();
	}

	install(installed: Installed | undefined): void {
		this.#installed = installed;
		this.#update();
	}

	/** Runs a function in whose call tree something else is installed, or nothing. */
	run<Result>(installed: Installed | undefined, action: () => Result): Result {
		return this.#scopes.run({installed}, action);
	}

	/** Keeps an eye on all requests until what it returns is called. */
	hold(): () => void {
		this.#holders++;
		this.#update();
		return () => {
			this.#holders--;
			this.#update();
		};
	}

	#update(): void {
		const isAwake = this.#installed !== undefined || this.#holders > 0;
		for (const options of this.#classes) {
			if (isAwake) {
				this.#wake(options);
			} else {
				this.#rest(options);
			}
		}
	}

	#wake(options: OptionsClass): void {
		if (this.#plain.has(options)) {
			return;
		}

		const plain = Object.getOwnPropertyDescriptor(options.prototype, 'getRequestFunction')!;
		this.#plain.set(options, plain);
		Object.defineProperty(options.prototype, 'getRequestFunction', {...plain, value: this.#installedMethod(plain.value as Method)});
	}

	#rest(options: OptionsClass): void {
		const plain = this.#plain.get(options);
		const method = options.prototype.getRequestFunction as Partial<InstalledMethod>;

		// Whoever has put something over ours since keeps it: ours leads to Got's own while nothing is installed.
		if (plain === undefined || method[plainMethod] !== plain.value) {
			return;
		}

		Object.defineProperty(options.prototype, 'getRequestFunction', plain);
		this.#plain.delete(options);
	}

	#installedMethod(plain: Method): InstalledMethod {
		const installed = (options: Options): ReturnType<Method> => {
			// Got's own `cache` calls the request function in a way of its own; two caches in a row serve nobody.
			const serving = options.cache === undefined && !this.#served.has(options) ? this.current : undefined;
			if (serving !== undefined) {
				this.#served.add(options);
				const transport = serving.transportFor(options);
				if (transport !== undefined) {
					return transport;
				}
			}

			return isNetworkRefused() ? refusing(options.method) : plain.call(options);
		};

		const method = function (this: Options): ReturnType<Method> {
			return installed(this);
		};

		return Object.assign(method, {[plainMethod]: plain});
	}
}

/** What a request without a cache is sent by where nothing may be. */
function refusing(method: string): ReturnType<Method> {
	return (url: URL) => {
		throw networkRefusal(method, redactUrl(url.href, compileIgnored([...DEFAULT_IGNORED_PARAMETERS]) as Ignored), 'no cache');
	};
}

const name: unique symbol = Symbol.for('got-cache-hooks.seat') as never;

/** The code that a copy of Got runs when it is loaded, where `Options` is its class. */
export const adoptionCode = (options: string): string => `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(name))})].adopt(${options});`;

/** The seat of this process, whichever copy of this library has made it; `undefined` where the process was started without `got-cache-hooks/register`. */
export function findSeat(): Seat | undefined {
	return (globalThis as {[name]?: Seat})[name];
}

/**
Makes the seat of this process.

@returns `undefined` where there was one before.
*/
export function makeSeat(): Seat | undefined {
	if (findSeat() !== undefined) {
		return undefined;
	}

	const seat = new Seat();
	Object.defineProperty(globalThis, name, {value: seat});
	return seat;
}

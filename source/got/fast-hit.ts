import {Buffer} from 'node:buffer';
import {channel} from 'node:diagnostics_channel';
import type {Got, InitHook} from 'got';
import type {Client} from '../exchange/client.ts';
import {scopes} from '../exchange/scope.ts';
import {sentRequest} from '../identity/sent-request.ts';
import {requestSettingNames} from '../settings/settings.ts';
import {clientOfHook} from './cache-hooks.ts';
import {
	FastAnswer,
	FastAnswerOfGot14,
	FastRequest,
	findPlain,
	type BodyType,
} from './fast-answer.ts';
import {withTrust, type NativeOptions} from './native-request.ts';
import {tlsOptionsOf} from './trust.ts';

// The fast hit: a fresh response in memory answers a plain GET before Got begins. Whatever is not known to be plain is left to Got, and so is what a caller sees of the request and its response.

type Headers = Readonly<Record<string, string>>;

/** The options of a plain call. */
type PlainOptions = {
	readonly headers?: Headers;
	readonly responseType?: BodyType;
	readonly resolveBodyOnly?: boolean;
};

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const bodyTypes: ReadonlySet<unknown> = new Set(['text', 'json', 'buffer'] satisfies BodyType[]);

/** The options that a plain call may have, besides the cache settings of a request. */
const plainOptions: Readonly<Record<string, (value: unknown) => boolean>> = {
	headers: value => isPlainObject(value) && Object.entries(value).every(([name, text]) => isPlainHeader(name) && typeof text === 'string'),
	responseType: value => bodyTypes.has(value),
	resolveBodyOnly: isBoolean,
	throwHttpErrors: isBoolean,
};

// Got reads the first two itself.
const isPlainHeader = (name: string): boolean => !/^(?:content-length|transfer-encoding|__proto__)$/iv.test(name) && /^[\w\-]+$/v.test(name);

function isPlainObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The options that an instance must have for its requests to be plain. The others make no difference to a GET that a stored response answers, or are looked at in each call. */
const requiredDefaults = {
	method: 'GET',
	prefixUrl: '',
	username: '',
	password: '',
	http2: false,
	isStream: false,
	decompress: true,
	setHost: true,
	parseJson: JSON.parse,
	encoding: undefined,
	body: undefined,
	json: undefined,
	form: undefined,
	cache: undefined,
	cookieJar: undefined,
	signal: undefined,
	request: undefined,
	createConnection: undefined,
	h2session: undefined,
} as const;

// Those to which Got publishes what happens to a request that a cache answers.
const channels = ['request:create', 'request:start', 'response:start', 'response:end'].map(name => channel(`got:${name}`));

/** The fast hit of one instance of Got. */
export class FastHits {
	readonly #instance: Got;
	readonly #client: Client;
	readonly #native: NativeOptions;
	readonly #headers: Headers;
	readonly #defaults: Required<Pick<PlainOptions, 'responseType' | 'resolveBodyOnly'>>;
	readonly #isGot14: boolean;

	private constructor(instance: Got, client: Client) {
		const {options} = instance.defaults;
		this.#instance = instance;
		this.#client = client;
		this.#native = {...tlsOptionsOf(options), setHost: true};
		// They are plain.
		this.#headers = {...options.headers as Headers};
		this.#defaults = {responseType: options.responseType, resolveBodyOnly: options.resolveBodyOnly};
		this.#isGot14 = 'getFallbackRequestFunction' in options;
	}

	/**
	Returns the fast hit of an instance; `undefined` if others than the cache see or change its requests.

	@param init - The only `init` hook that the instance may have.
	*/
	static of(instance: Got, init: InitHook): FastHits | undefined {
		const {options, handlers, mutableDefaults} = instance.defaults;
		const {init: inits, beforeRequest, ...others} = options.hooks;
		const client = beforeRequest[0] === undefined ? undefined : clientOfHook(beforeRequest[0])?.client;
		const isPlain = handlers.length === 0
			&& !mutableDefaults
			&& inits.length === 1 && inits[0] === init
			&& beforeRequest.length === 1
			&& Object.values(others).every(hooks => hooks.length === 0)
			&& typeof options.followRedirect === 'boolean'
			&& plainOptions.headers!({...options.headers})
			&& Object.entries(requiredDefaults).every(([name, value]) => options[name as keyof typeof options] === value);
		return client !== undefined && isPlain && !hasSearchParameters(options) ? new FastHits(instance, client) : undefined;
	}

	/** Returns the answer to a request that is most likely a fast hit; `undefined` if Got is to make the request. */
	answer(url: unknown, options: unknown = {}): FastAnswer | undefined {
		const target = plainUrl(url);
		const own = this.#settingsOf(options);
		if (target === undefined || own === undefined || channels.some(({hasSubscribers}) => hasSubscribers)) {
			return undefined;
		}

		try {
			return this.#open(target, options as PlainOptions, own.settings);
		} catch {
			// Got meets the same fault, and reports it.
			return undefined;
		}
	}

	/** Returns the cache settings of a request, frozen so that they are checked once; `undefined` if its options are not plain. */
	#settingsOf(options: unknown): {readonly settings: object | undefined} | undefined {
		if (!isPlainObject(options)) {
			return undefined;
		}

		const given: Record<string, unknown> = {};
		for (const [name, value] of Object.entries(options)) {
			if (requestSettingNames.has(name)) {
				given[name] = value;
			} else if (!Object.hasOwn(plainOptions, name) || !plainOptions[name]!(value)) {
				return undefined;
			}
		}

		const {cache: inherited} = this.#instance.defaults.options.context;
		const hasOwn = inherited !== undefined || Object.keys(given).length > 0;
		// The settings of a scope are merged with them for each request.
		return hasOwn && (scopes.getStore() !== undefined || (inherited !== undefined && !isPlainObject(inherited))) ? undefined : {settings: hasOwn ? Object.freeze({...inherited, ...given}) : undefined};
	}

	#open(url: URL, given: PlainOptions, own: object | undefined): FastAnswer | undefined {
		const client = this.#client.inScope;
		const settings = client.settingsFor(own);
		const {store} = client.cache;
		// The headers that Got adds are not known here. Other stores may be slow, or fail, and would do so twice.
		if (settings.matchHeaders !== false || store.scope !== 'process' || store.name !== 'memory') {
			return undefined;
		}

		const headers = given.headers === undefined ? this.#headers : {...this.#headers, ...lowerCased(given.headers)};
		const sent = withTrust(sentRequest('GET', url, headers, undefined), this.#native, noConnection, settings);
		const exchange = client.open(sent, settings);
		if (findPlain(exchange) === undefined) {
			return undefined;
		}

		const {responseType: bodyType, resolveBodyOnly: resolvesBody} = {...this.#defaults, ...given};
		const request = new FastRequest({
			exchange,
			bodyType,
			resolvesBody,
			copy: this.#isGot14 ? copyForGot14 : copyBytes,
			isCurrent: () => this.#client.inScope === client && client.settingsFor(own) === settings,
			instance: this.#instance,
			url: url.href,
			options: optionsOf(given, headers.accept !== undefined),
		});
		return this.#isGot14 ? new FastAnswerOfGot14(request) : new FastAnswer(request);
	}
}

/** Returns how Got's options are made. The caller may change the given ones meanwhile. */
function optionsOf(given: PlainOptions, hasAccept: boolean): (acceptsJson: boolean) => object {
	const options = given.headers === undefined ? {...given} : {...given, headers: {...given.headers}};
	return acceptsJson => acceptsJson && !hasAccept ? {...options, headers: {...options.headers, accept: 'application/json'}} : options;
}

const copyForGot14 = (body: Uint8Array): Uint8Array => Buffer.concat([body]);
const copyBytes = (body: Uint8Array): Uint8Array => new Uint8Array(body);

// Nothing but Got connects.
const noConnection = {request: undefined, createConnection: undefined, h2session: undefined};

function lowerCased(headers: Headers): Headers {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function plainUrl(url: unknown): URL | undefined {
	const text = url instanceof URL ? url.href : url;
	const parsed = typeof text === 'string' && /^https?:\/\//iv.test(text) ? URL.parse(text) : null;
	return parsed === null || parsed.hostname === 'unix' || parsed.username !== '' || parsed.password !== '' ? undefined : parsed;
}

function hasSearchParameters(options: Got['defaults']['options']): boolean {
	try {
		return String(options.searchParams) !== '';
	} catch {
		// Got 14 and 15 would create them, which frozen options refuse.
		return false;
	}
}

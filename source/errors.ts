import process from 'node:process';
import {closestMatch} from 'leven';

/**
The base class of all errors of this library, except those for wrong settings and arguments, which are `TypeError`s (`SettingError`).

`code` is stable and meant for programs. The message is meant for people and never contains a credential.

@example
```ts
import {CacheHooksError, HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory'});
try {
	await cache.save({url: 'https://api.example.com/'}, {statusCode: 206, body: 'part'});
} catch (error) {
	console.log(error instanceof CacheHooksError, error.code);
}
//=> true ERR_NOT_STORABLE
```
*/
export class CacheHooksError extends Error {
	/** The name of the class. */
	override readonly name: string = 'CacheHooksError';

	/** What is wrong, for programs: `ERR_STORE_TIMEOUT`, `ERR_NOT_RECORDED`, … */
	readonly code: string;

	constructor(code: string, message: string, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
	}
}

// Checked here, since all entry points load this file before any that an older Node.js cannot run. Other runtimes have versions of their own.
const {node, bun, deno} = process.versions;
if (bun === undefined && deno === undefined && isOlder(node, 22, 19)) {
	throw new CacheHooksError('ERR_UNSUPPORTED_NODE', `got-cache-hooks needs Node.js 22.19 or newer, and this is Node.js ${node}. Update Node.js.`);
}

function isOlder(version: string, leastMajor: number, leastMinor: number): boolean {
	const [major, minor] = version.split('.').map(Number) as [number, number];
	return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

/**
A store call that took longer than `storeTimeout`.

@example
```ts
import {HttpCache, StoreTimeoutError} from 'got-cache-hooks';

const slow = {get: async () => new Promise<undefined>(() => {}), set() {}, delete: () => true, clear() {}};
const cache = new HttpCache({store: slow, storeTimeout: 20});
try {
	await cache.ready();
} catch (error) {
	console.log(error instanceof StoreTimeoutError, error.code);
}
//=> true ERR_STORE_TIMEOUT
```
*/
export class StoreTimeoutError extends CacheHooksError {
	/** The name of the class. */
	override readonly name = 'StoreTimeoutError';

	constructor(operation: string, milliseconds: number) {
		super('ERR_STORE_TIMEOUT', `The store did not answer \`${operation}\` within ${milliseconds} ms.`);
	}
}

/**
A background refresh that took longer than `timeout.request` or 60 seconds.
*/
export class RefreshTimeoutError extends CacheHooksError {
	override readonly name = 'TimeoutError';

	/**
	Names the request in the message.

	@param url - The URL, redacted.
	*/
	constructor(url: string, milliseconds: number) {
		super('ERR_REFRESH_TIMEOUT', `The refresh of ${url} took longer than ${milliseconds} ms.`);
	}
}

/** What to do about a request without a recording. */
export const toRecord = 'Record it with `mode: \'record-missing\'`.';

/**
A request without a recorded response, with `mode: 'replay'`.

@example
```ts
import got from 'got';
import {cacheHooks, NotRecordedError} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', mode: 'replay'}));
try {
	await client('https://api.example.com/users/1');
} catch (error) {
	console.log(error.code, error.cause instanceof NotRecordedError);
}
//=> ERR_NOT_RECORDED true
```
*/
export class NotRecordedError extends CacheHooksError {
	/** The name of the class. */
	override readonly name = 'NotRecordedError';

	/**
	Names the request in the message.

	@param url - The URL, redacted.
	@param why - What is known of the reason, in sentences.
	@param options - Has the error of the store as `cause` when the store could not be read.
	*/
	constructor(method: string, url: string, why: string = toRecord, options?: ErrorOptions) {
		super('ERR_NOT_RECORDED', `No response is recorded for \`${method} ${url}\`. ${why}`, options);
	}
}

/**
Replaces a thrown value that may contain a credential: one that a function of the settings has thrown, or an error of Got, which contains the whole request. It keeps the locations of the original stack.

@example
```ts
import got from 'got';
import {cacheHooks, getCache, RedactedError} from 'got-cache-hooks';

const client = got.extend(cacheHooks({
	store: 'memory',
	keyFn() {
		throw new Error('No key for token=secret');
	},
}));
getCache(client).on('settingError', ({error}) => {
	console.log(error instanceof RedactedError, String(error).includes('secret'));
});
await client('https://api.example.com/users/1');
//=> true false
```
*/
export class RedactedError extends CacheHooksError {
	/** The name of the kind of error. */
	override readonly name: string;
	readonly #thrown: unknown;

	/**
	Copies only the locations of the stack. Name, code and message must be safe to show.
	*/
	constructor(thrown: unknown, {name, code, message}: {readonly name: string; readonly code: string; readonly message: string}) {
		super(code, message);
		this.name = name;
		this.#thrown = thrown;
		this.stack = [`${name}: ${message}`, ...placesOf(thrown)].join('\n');
	}

	/** Returns the original value. It is a method because `util.inspect` can call getters. */
	thrown(): unknown {
		return this.#thrown;
	}
}

/** Describes the kind of a thrown value, without its message. */
export function kindOf(thrown: unknown): string {
	const code = codeOf(thrown);
	return thrown instanceof Error ? `${thrown.constructor.name}${code === undefined ? '' : ` (${code})`}` : `a ${typeof thrown}`;
}

/** Returns the kind of a thrown value as telemetry groups errors by it: its code, or else the name of its class. A name that is no identifier could contain anything: it becomes `_OTHER`. */
export function errorTypeOf(thrown: unknown): string {
	const name = thrown instanceof RedactedError ? thrown.name : (new Object(thrown)).constructor?.name;
	const code = codeOf(thrown);
	return code !== undefined && code !== 'ERR_REDACTED' ? code : (typeof name === 'string' && /^[a-z]\w{1,63}$/iv.test(name) ? name : '_OTHER');
}

/** Returns the code of a thrown value when it has the form of those of Node.js and of this library. */
export function codeOf(thrown: unknown): string | undefined {
	const {code} = new Object(thrown) as {readonly code?: unknown};
	return typeof code === 'string' && /^(?:ERR_[\dA-Z_]+|E[A-Z]{2,15})$/v.test(code) ? code : undefined;
}

/**
Describes a fault for a log, in one sentence: with its message if that is known to contain no credential, since it is one of this library or of a system call, otherwise with its place.
*/
export function describeFault(thrown: unknown): string {
	if (isMessageSafe(thrown)) {
		return `${(thrown as Error).message.replace(/\.$/v, '')}.`;
	}

	const place = placesOf(thrown).find(line => !line.includes('node:'))?.trim();
	return `${kindOf(thrown instanceof RedactedError ? thrown.thrown() : thrown)}${place === undefined ? '' : ` ${place}`}.`;
}

function isMessageSafe(thrown: unknown): boolean {
	// A redacted error has the message of another one, in which only URLs were redacted.
	return thrown instanceof RedactedError || !(thrown instanceof Error) ? false : thrown instanceof CacheHooksError || thrown instanceof SettingError || ('syscall' in thrown && codeOf(thrown) !== undefined);
}

/** Returns the lines of a stack after the message, since the message may contain lines that look the same. */
function placesOf(thrown: unknown): readonly string[] {
	const {message, stack} = new Object(thrown) as {readonly message?: unknown; readonly stack?: unknown};
	const lines = typeof stack === 'string' && typeof message === 'string' ? stack.slice(stack.indexOf(message) + message.length).split('\n') : [];
	return lines.filter(line => /^ +at [^#;=?]*$/v.test(line));
}

/**
A wrong setting or argument. `path` names it as the caller would write it: `cache.urlsExpireAfter[1]` for a setting of a client, `options.tags` for a member of an argument, `Cached.scope` for a decorator. The message says what is wrong and what is allowed.

@example
```ts
import {HttpCache, SettingError} from 'got-cache-hooks';

try {
	const cache = new HttpCache({expireAfter: '5 parsecs'});
} catch (error) {
	console.log(error instanceof SettingError, error.path);
}
//=> true cache.expireAfter
```
*/
export class SettingError extends TypeError {
	/** The name of the base class. */
	override readonly name = 'TypeError';

	/** The code, for programs. */
	readonly code = 'ERR_CACHE_SETTING';

	/** What is wrong, as the caller would write it. */
	readonly path: string;

	/**
	Makes the message of the value and of what is allowed, or takes a whole message.
	*/
	constructor(path: string, ...details: readonly [received: unknown, allowed: string] | readonly [message: string]) {
		const [first, allowed] = details;
		super(allowed === undefined ? first as string : `Expected \`${path}\` to be ${allowed}, got ${describe(first)}.`);
		this.path = path;
	}
}

/** Creates the error for an option that does not exist. */
export function unknownOption(path: string, name: string, known: Iterable<string>): SettingError {
	const names = [...known];
	const similar = similarName(name, names);
	return new SettingError(`${path}.${name}`, `Unknown option \`${path}.${name}\`. ${similar === undefined ? '' : `Did you mean \`${similar}\`? `}${names.length === 1 ? 'The only option is' : 'The options are'} ${listed(names, 'and')}.`);
}

/** Returns names as a part of a sentence: `a`, `b` or `c`. */
export function listed(names: Iterable<string>, conjunction: 'and' | 'or'): string {
	const quoted = Array.from(names, name => `\`${name}\``);
	return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(` ${conjunction} `);
}

/** The only setting that has another name in requests-cache. */
const renamed: Readonly<Record<string, string>> = {backend: 'store'};

/** Returns the known name that a wrong one probably means. Names in the snake case of requests-cache are similar, too. */
export function similarName(name: string, known: Iterable<string>): string | undefined {
	const plain = name.replaceAll(/[\s\-_]/gv, '').toLowerCase();
	const plainNames = new Map(Array.from(known, one => [one.toLowerCase(), one]));
	const closest = closestMatch(plain, plainNames.keys().toArray(), {maxDistance: Math.min(4, Math.floor(plain.length / 3))});
	return closest === undefined ? plainNames.values().find(one => one === renamed[plain]) : plainNames.get(closest);
}

/**
Removes from a text what may be a credential in a URL: user info, query, fragment and parameters. The text need not be a URL.
*/
export function shownText(text: string): string {
	const scheme = /^[a-z][\w+\-.]*:\/\//iv.exec(text)?.[0] ?? '';
	const at = text.lastIndexOf('@');
	const shown = at === -1 ? text : `${scheme}…${text.slice(at)}`;
	const end = shown.search(/[#;=?]/v);
	return end === -1 ? shown : `${shown.slice(0, end + 1)}…`;
}

/** Wraps a value that may be a secret, so that a message shows only its type. */
export function concealed(value: unknown): unknown {
	return typeof value === 'string' || typeof value === 'number' ? new Concealed(`a ${typeof value}`) : value;
}

class Concealed {
	readonly kind: string;

	constructor(kind: string) {
		this.kind = kind;
	}
}

/**
Describes any value in one line for an error message.
*/
export function describe(value: unknown): string {
	if (typeof value === 'string') {
		const text = shownText(value);
		return `string ${JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)}`;
	}

	if (value === null || value === undefined) {
		return String(value);
	}

	if (typeof value === 'function') {
		return value.name === '' ? 'a function' : `function \`${value.name}\``;
	}

	if (Array.isArray(value)) {
		return 'an array';
	}

	if (value instanceof Concealed) {
		return value.kind;
	}

	if (typeof value === 'object') {
		const name: unknown = (value as {constructor?: {name?: unknown}}).constructor?.name;
		return value instanceof RegExp ? `RegExp ${String(value)}` : `an instance of ${typeof name === 'string' ? name : 'Object'}`;
	}

	return `${typeof value} ${(value as number | bigint | boolean | symbol).toString()}`;
}

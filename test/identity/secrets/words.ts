import {Buffer} from 'node:buffer';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {inspect} from 'node:util';
import type {CacheEvents, HttpCache} from '../../../source/index.ts';

const events = ['hit', 'stale', 'revalidated', 'miss', 'bypassed', 'stored', 'refused', 'deleted', 'expired', 'evicted', 'storeError', 'circuit', 'settingError', 'backgroundError', 'internalError'] as const satisfies Array<keyof CacheEvents>;

/** All that is in a value, whatever hides it from `inspect`: texts, names, bytes, messages, causes. */
export function textOf(value: unknown): string {
	return [inspect(value, {
		depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true, getters: true,
	}), ...textsOf(value, new Set())].join('\n');
}

function textsOf(value: unknown, seen: Set<unknown>): string[] {
	if (typeof value === 'string' || typeof value === 'symbol') {
		return [String(value)];
	}

	if (typeof value !== 'object' || value === null || seen.has(value)) {
		return [];
	}

	seen.add(value);
	if (ArrayBuffer.isView(value)) {
		return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')];
	}

	const entries: unknown[] = value instanceof Map || value instanceof Set ? [...value as Iterable<unknown>].flat() : [];
	const members = Reflect.ownKeys(value).flatMap(name => [name, Reflect.getOwnPropertyDescriptor(value, name)?.value as unknown]);
	const shown = value instanceof Error || value instanceof URL ? [String(value), (value as Partial<Error>).stack] : [];
	return [...entries, ...members, ...shown].flatMap(member => textsOf(member, seen));
}

/**
Returns the text of an error and of its causes. Got's errors have the whole request of the caller in `options`; of them, only the messages count.
*/
export function errorTexts(error: unknown): string {
	if (!(error instanceof Error)) {
		return textOf(error);
	}

	const isGots = 'options' in error && 'timings' in error;
	return [error.name, error.message, error.stack, isGots ? '' : textOf(error), error.cause === undefined ? '' : errorTexts(error.cause)].join('\n');
}

/** Everything that a cache says. */
export class Words {
	readonly #said: string[] = [];
	readonly #isHeard = new Set<string>();
	readonly #cache: HttpCache;
	readonly #channels = new Map<string, (message: unknown) => void>();

	constructor(cache: HttpCache) {
		this.#cache = cache;
		for (const event of events) {
			cache.on(event, (payload: unknown) => {
				this.#isHeard.add(event);
				this.say(event, payload);
			});
			const listen = (payload: unknown): void => {
				this.say(event, payload);
			};

			this.#channels.set(`got-cache-hooks:${event}`, listen);
			subscribe(`got-cache-hooks:${event}`, listen);
		}
	}

	get heard(): ReadonlySet<string> {
		return this.#isHeard;
	}

	say(...values: readonly unknown[]): void {
		this.#said.push(...values.map(value => textOf(value)));
	}

	throws(error: unknown): void {
		this.#said.push(errorTexts(error));
	}

	/** The queries of the cache. */
	async sayStored(): Promise<void> {
		await this.#cache.idle();
		const all = [
			...await Array.fromAsync(this.#cache.filter({valid: true, expired: true, invalid: true})),
			...await Array.fromAsync(this.#cache.sorted({by: 'size'})),
			...await Array.fromAsync(this.#cache.urls()),
			await this.#cache.toHar(),
		];
		this.say(...all, ...all.map(String), ...all.map(value => JSON.stringify(value)), this.#cache.stats(), this.#cache);
		for (const response of all) {
			if (typeof response === 'object' && 'request' in response) {
				this.say(response.headers, response.request?.headers, response.request?.body, response.text(), response.redirectUrls);
			}
		}
	}

	end(): string {
		for (const [name, listen] of this.#channels) {
			unsubscribe(name, listen);
		}

		return this.#said.join('\n');
	}
}

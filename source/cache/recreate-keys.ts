import {isDeepStrictEqual} from 'node:util';
import {isStoredAsSent} from '../identity/body.ts';
import {Identity} from '../identity/identify.ts';
import {type Secret, variantKey} from '../identity/key.ts';
import {redactUrl} from '../identity/references.ts';
import {matchedMethod, overridingMethod, targetUrl} from '../identity/sent-request.ts';
import {hasRedacted, recreatedKey, recreatedPartition, redactRequest, storableLines} from '../identity/stored-request.ts';
import type {KeySettingsOfCache, StorableRequest} from '../identity/types.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {fieldsOf, isCall, storedResponse, type StoredRequest, type StoredResponse} from '../entry/stored-response.ts';
import type {Entries} from './entries.ts';

/**
A stored response without what is secret by the settings of now, under the URL that the origin saw, and with whom it is for.

@returns The very same where nothing of it is another.
*/
export function redactAgain(stored: StoredResponse, settings: KeySettingsOfCache, secret: Secret): StoredResponse {
	const {request, url, rawHeaders} = stored;
	const redacted = {
		url: redactUrl(request === undefined ? url : targetOf(request), settings.ignoredParameters),
		rawHeaders: storableLines(rawHeaders, url, settings.ignoredParameters),
		...(request !== undefined && {request: redactStored(request, settings, secret)}),
	};
	return isDeepStrictEqual(redacted, {url, rawHeaders: [...rawHeaders], ...(request !== undefined && {request})}) ? stored : storedResponse({...stored, ...redacted}, stored.body);
}

function redactStored({rawHeaders, partition, ...request}: StoredRequest, settings: KeySettingsOfCache, secret: Secret): StoredRequest {
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	const hasOwnKey = settings.keyFn !== undefined || isCall(request);
	return redactRequest(storable, settings, hasOwnKey ? partition : recreatedPartition(storable, partition, settings, secret));
}

function targetOf({url, rawHeaders}: StoredRequest): string {
	return targetUrl(new URL(url), fieldsOf(rawHeaders));
}

/**
The key that a stored request has now.

A `keyFn` gets the request only if nothing of it has been redacted: from what is left, it could make one key for two users.

@param key - Under which it is stored.
@returns `undefined` where it cannot be known, or the request is not to be cached any more.
*/
export function recreateKey(stored: StoredRequest, key: string, settings: KeySettingsOfCache, secret: () => MaybePromise<Secret>): MaybePromise<string | undefined> {
	const {rawHeaders, partition, ...request} = stored;
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	if (!URL.canParse(request.url) || lacksParts(stored) || (key.startsWith(formerPrefix) && hasUnknownParts(storable))) {
		return undefined;
	}

	if (request.body !== undefined && !isStoredAsSent({headers: storable.headers, body: request.body})) {
		return undefined;
	}

	if (settings.keyFn === undefined) {
		return then(secret(), known => recreatedKey(storable, partition, settings, known));
	}

	const [method, override] = request.method.split(':', 2) as [string, string?];
	return hasRedacted(storable) || request.bodyParts !== undefined
		? undefined
		: new Identity({
			...storable, method, override, targetUrl: request.url, fields: storable.headers, body: request.body,
		}, settings).key(secret);
}

/** The prefix of keys of the first format. */
const formerPrefix = 'got-cache:1:';

/** The first format kept other parts of a body, and other names of whom a request was for. */
function lacksParts(stored: StoredRequest): boolean {
	return Object.hasOwn(stored, 'matchedBody') || (stored.partition !== undefined && !Array.isArray(stored.partition.parts));
}

/** The first format did not keep what a request believed, nor tell apart methods that were asked for at once. */
function hasUnknownParts({url, method, headers}: StorableRequest): boolean {
	return url.startsWith('https:') || method !== matchedMethod(method.split(':', 1)[0]!, overridingMethod(headers));
}

/** What became of the entries. */
export type RecreatedKeys = {
	/** Their keys are as they were; those of which an older version did not store the request, too. */
	readonly kept: number;

	/** They lie under another key now. */
	readonly moved: number;

	/** They were deleted: a newer one has taken the key, what parts it now was not stored, or a tag had deleted them before. */
	readonly dropped: number;
};

export type LongTask = {
	/** Ends the work between two entries; what is done stays done. */
	readonly signal?: AbortSignal | undefined;

	/** Told after each entry how many are done. */
	readonly onProgress?: ((done: number) => void) | undefined;
};

type KeyMigrationOptions = LongTask & {
	readonly entries: Entries;
	readonly remove: (key: string) => MaybePromise<unknown>;

	/** The key that an entry should have; `undefined` for one that is to go. */
	readonly keyFor: (stored: StoredResponse, key: string) => MaybePromise<string | undefined>;

	/** The entry without what may not be stored; the very same where there is nothing of it. */
	readonly redact: (stored: StoredResponse) => StoredResponse;
};

/**
Moves entries to the keys that they should have.

First it finds out what is to be moved, then it moves: a key that one entry takes may be one that another leaves.
*/
export class KeyMigration {
	readonly #options: KeyMigrationOptions;
	readonly #targets = new Map<string, string | undefined>();

	/** Variants, by the primary entry through which they are found. */
	readonly #variants = new Map<string, string[]>();
	#kept = 0;
	#moved = 0;
	#dropped = 0;

	constructor(options: KeyMigrationOptions) {
		this.#options = options;
	}

	async run(): Promise<RecreatedKeys> {
		await this.#survey();
		for (const key of this.#targets.keys()) {
			this.#options.signal?.throwIfAborted();
			await this.#move(key); // eslint-disable-line no-await-in-loop -- The store is not to be flooded.
			this.#tell();
		}

		return {kept: this.#kept, moved: this.#moved, dropped: this.#dropped};
	}

	async #survey(): Promise<void> {
		for await (const {key, stored} of this.#options.entries.inspect()) {
			this.#options.signal?.throwIfAborted();
			if (stored?.primary !== undefined) {
				const variants = this.#variants.get(stored.primary) ?? [];
				variants.push(key);
				this.#variants.set(stored.primary, variants);
				await this.#keep(key, stored);
			} else if (stored !== undefined) {
				const target = await this.#options.keyFor(stored, key);
				if (target === key) {
					await this.#keep(key, stored);
					this.#kept++;
					this.#tell();
				} else {
					this.#targets.set(key, target);
				}
			}
		}
	}

	async #keep(key: string, stored: StoredResponse): Promise<void> {
		const redacted = this.#options.redact(stored);
		if (redacted !== stored) {
			await this.#options.entries.write(key, redacted);
		}
	}

	async #move(key: string): Promise<void> {
		if (!this.#targets.has(key)) {
			return;
		}

		const {entries, remove} = this.#options;
		const target = this.#targets.get(key);
		this.#targets.delete(key);
		const stored = await entries.read(key);
		if (stored === undefined) {
			// It has expired meanwhile, or somebody else deleted it.
			return;
		}

		if (target !== undefined && this.#targets.has(target)) {
			// What lies there leaves first, and may itself want this place.
			await remove(key);
			await this.#move(target);
			await this.#settle(key, target, stored);
			return;
		}

		await this.#settle(key, target, stored);
		await remove(key);
	}

	async #settle(key: string, target: string | undefined, stored: StoredResponse): Promise<void> {
		const {entries, remove, redact} = this.#options;
		const present = target === undefined ? undefined : await entries.read(target);
		const isDropped = target === undefined || (present !== undefined && present.createdAt > stored.createdAt);
		if (isDropped) {
			this.#dropped++;
		} else {
			await entries.write(target, redact(stored));
			this.#moved++;
		}

		for (const variant of this.#variants.get(key) ?? []) {
			const other = await entries.read(variant); // eslint-disable-line no-await-in-loop -- As above.
			if (!isDropped && other?.vary !== undefined) {
				const place = variantKey(other.generation, other.vary.digest);
				await entries.write(place, {...redact(other), primary: target}); // eslint-disable-line no-await-in-loop
				if (place === variant) {
					continue;
				}
			}

			await remove(variant); // eslint-disable-line no-await-in-loop
		}
	}

	#tell(): void {
		this.#options.onProgress?.(this.#kept + this.#moved + this.#dropped);
	}
}

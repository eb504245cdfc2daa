import {isDeepStrictEqual} from 'node:util';
import {isStoredAsSent} from '../identity/body.ts';
import {Identity} from '../identity/identify.ts';
import {variantKey, type Secret} from '../identity/key.ts';
import {redactUrl} from '../identity/references.ts';
import {targetUrl} from '../identity/sent-request.ts';
import {
	hasRedacted,
	recreatedKey,
	recreatedPartition,
	redactRequest,
	isStorable,
	type StoredRequest,
} from '../identity/stored-request.ts';
import type {KeySettingsOfCache} from '../identity/key-parts.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {filterLines} from '../policy/fields.ts';
import {
	fieldsOf,
	isCall,
	storedResponse,
	type StoredResponse,
} from '../entry/stored-response.ts';
import type {CacheCore} from './core.ts';
import type {LongTask} from './criteria.ts';

/** The result of `recreateKeys`. */
export type RecreatedKeys = {
	/** The number of entries that keep their keys, including those of an older version that did not store the request. */
	readonly kept: number;

	/** The number of entries that have another key now. */
	readonly moved: number;

	/** The number of entries that were deleted: a newer one has taken the key, a part of the key was not stored, or a tag had deleted them before. */
	readonly dropped: number;
};

/**
Moves the entries of a cache to the keys that its settings give, and redacts what the settings ignore now.

@throws What the store or a function of the settings throws, or `signal`.
*/
export async function recreateKeys(core: CacheCore, task: LongTask): Promise<RecreatedKeys> {
	await core.writes.idle();
	return new KeyMigration(core, await core.secret(), task).run();
}

/** First it finds out which entries must be moved, then it moves them: the new key of one entry may be the old key of another. */
class KeyMigration {
	readonly #core: CacheCore;
	readonly #secret: Secret;
	readonly #task: LongTask;

	/** The new keys of the entries to be moved; `undefined` for entries to be deleted. */
	readonly #targets = new Map<string, string | undefined>();

	/** The keys of variants, by the primary entry through which they are found. */
	readonly #variants = new Map<string, string[]>();
	readonly #counts = {kept: 0, moved: 0, dropped: 0};

	constructor(core: CacheCore, secret: Secret, task: LongTask) {
		this.#core = core;
		this.#secret = secret;
		this.#task = task;
	}

	async run(): Promise<RecreatedKeys> {
		await this.#findTargets();
		for (const key of this.#targets.keys()) {
			this.#task.signal?.throwIfAborted();
			await this.#move(key); // eslint-disable-line no-await-in-loop -- One call at a time limits the load on the store.
		}

		return this.#counts;
	}

	async #findTargets(): Promise<void> {
		for await (const {key, stored} of this.#core.managedEntries.inspect()) {
			this.#task.signal?.throwIfAborted();
			if (stored?.primary !== undefined) {
				const variants = this.#variants.get(stored.primary) ?? [];
				variants.push(key);
				this.#variants.set(stored.primary, variants);
				await this.#redactInPlace(key, stored);
			} else if (stored !== undefined) {
				const target = await this.#keyFor(stored, key);
				if (target === key) {
					await this.#redactInPlace(key, stored);
					this.#count('kept');
				} else {
					this.#targets.set(key, target);
				}
			}
		}
	}

	/** Returns the key that an entry should have; `undefined` for one that must be deleted. */
	async #keyFor(stored: StoredResponse, key: string): Promise<string | undefined> {
		// An entry that a tag has deleted must not take the key of another one.
		if (await this.#core.applyInvalidations(stored) === undefined) {
			return undefined;
		}

		return stored.request === undefined || isCall(stored) ? key : recreateKey(stored.request, this.#core.settings, this.#secret);
	}

	async #redactInPlace(key: string, stored: StoredResponse): Promise<void> {
		const redacted = this.#redact(stored);
		if (redacted !== stored) {
			await this.#core.managedEntries.write(key, redacted);
		}
	}

	async #move(key: string): Promise<void> {
		if (!this.#targets.has(key)) {
			return;
		}

		const {managed, managedEntries} = this.#core;
		const target = this.#targets.get(key);
		this.#targets.delete(key);
		const stored = await managedEntries.read(key);
		if (stored === undefined) {
			// It was deleted meanwhile, or its time in the store has passed.
			return;
		}

		if (target !== undefined && this.#targets.has(target)) {
			// The entry at the new key is moved first, and its new key may be the old key of this one.
			await managed.delete(key);
			await this.#move(target);
			await this.#writeAt(key, target, stored);
			return;
		}

		await this.#writeAt(key, target, stored);
		await managed.delete(key);
	}

	async #writeAt(key: string, target: string | undefined, stored: StoredResponse): Promise<void> {
		const {managed, managedEntries} = this.#core;
		const present = target === undefined ? undefined : await managedEntries.read(target);
		const isDropped = target === undefined || (present !== undefined && present.createdAt > stored.createdAt);
		if (!isDropped) {
			await managedEntries.write(target, this.#redact(stored));
		}

		for (const variant of this.#variants.get(key) ?? []) {
			const other = await managedEntries.read(variant); // eslint-disable-line no-await-in-loop -- As above.
			if (!isDropped && other?.vary !== undefined) {
				const newKey = variantKey(other.generation, other.vary.digest);
				await managedEntries.write(newKey, {...this.#redact(other), primary: target}); // eslint-disable-line no-await-in-loop
				if (newKey === variant) {
					continue;
				}
			}

			await managed.delete(variant); // eslint-disable-line no-await-in-loop
		}

		this.#count(isDropped ? 'dropped' : 'moved');
	}

	#redact(stored: StoredResponse): StoredResponse {
		return redactAgain(stored, this.#core.settings, this.#secret);
	}

	#count(what: keyof RecreatedKeys): void {
		this.#counts[what]++;
		this.#task.onProgress?.(this.#counts.kept + this.#counts.moved + this.#counts.dropped);
	}
}

/**
Redacts a stored response by the current settings, and gives it the URL that the origin saw and the current partition.

@returns The same object if nothing changes.
*/
function redactAgain(stored: StoredResponse, settings: KeySettingsOfCache, secret: Secret): StoredResponse {
	const {request, url, rawHeaders} = stored;
	const redacted = {
		url: redactUrl(request === undefined ? url : targetUrl(new URL(request.url), fieldsOf(request.rawHeaders)), settings.ignoredParameters),
		rawHeaders: filterLines(rawHeaders, (name, value) => isStorable(name, value, url, settings.ignoredParameters)),
		...(request !== undefined && {request: redactStored(request, settings, secret)}),
	};
	return isDeepStrictEqual(redacted, {url, rawHeaders: [...rawHeaders], ...(request !== undefined && {request})}) ? stored : storedResponse({...stored, ...redacted}, stored.body);
}

function redactStored({rawHeaders, partition, ...request}: StoredRequest, settings: KeySettingsOfCache, secret: Secret): StoredRequest {
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	const hasOwnKey = settings.keyFn !== undefined || isCall(request);
	return redactRequest(storable, settings, hasOwnKey ? partition : recreatedPartition(storable, partition, settings, secret));
}

/**
Returns the current key of a stored request. A `keyFn` gets the request only if nothing of it was redacted: from the rest, it could make one key for two users.

@returns `undefined` if the key cannot be known, or the request is not to be cached any more.
*/
function recreateKey({rawHeaders, partition, ...request}: StoredRequest, settings: KeySettingsOfCache, secret: Secret): MaybePromise<string | undefined> {
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	if (request.body !== undefined && !isStoredAsSent({headers: storable.headers, body: request.body})) {
		return undefined;
	}

	if (settings.keyFn === undefined) {
		return recreatedKey(storable, partition, settings, secret);
	}

	const [method, override] = request.method.split(':', 2) as [string, string?];
	return hasRedacted(storable) || request.bodyParts !== undefined
		? undefined
		: new Identity({
			...storable, method, override, targetUrl: request.url, fields: storable.headers, body: request.body,
		}, settings).key(() => secret);
}

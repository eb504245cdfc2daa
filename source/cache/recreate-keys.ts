import {variantKey} from '../identity/key.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Entries} from './entries.ts';

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

import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Store, StoredValue} from '../stores/types.ts';

/** Where the secret lies, among the entries: whoever lists these passes it over. */
export const secretKey = 'got-cache:1:secret';

const prefix = 'got-cache-secret:1:';

// How long whoever wrote a secret looks again before each use, since another process may have written its own at the same time: longer than a store may hold such a write back.
const doubt = 10_000;

// How long a store that failed is left alone.
const pause = 10_000;

type PartitionSecretOptions = {
	/** Throws its faults. */
	readonly store: Store;

	/** Of the user's; then nothing is read or written. */
	readonly given: string | Uint8Array | undefined;

	/** Told of faults. What it throws is thrown. */
	readonly onFault: (operation: 'get' | 'set', error: unknown) => void;

	/** Milliseconds that never go back. Default: `performance.now`. */
	readonly clock?: () => number;
};

/**
The secret of a cache's keyed digests: random, made once, kept in the store beside the entries that need it.

It is written with the first of these and never before, so that reading leaves no trace. Of several processes that begin at once the first to write wins where the store has `add`. Elsewhere the last one does, and the others find that out, since each looks again for some seconds after its own write. Until then they miss what the others stored; nobody gets what is another's.
While the store fails, a secret of this process stands in.
*/
export class PartitionSecret {
	readonly #store: Store;
	readonly #given: string | Uint8Array | undefined;
	readonly #onFault: PartitionSecretOptions['onFault'];
	readonly #clock: () => number;

	/** Whether it was asked for: only then it is kept. */
	isInUse = false;

	/** What is stored, or will be. */
	#secret: Uint8Array | undefined;
	#isStored = false;
	#doubtedUntil = 0;
	#pausedUntil = 0;

	constructor({store, given, onFault, clock = () => performance.now()}: PartitionSecretOptions) {
		this.#store = store;
		this.#given = given;
		this.#onFault = onFault;
		this.#clock = clock;
	}

	get(): MaybePromise<string | Uint8Array> {
		return this.#given ?? (this.#isCertain() ? this.#current() : this.#load());
	}

	/** To be called before something is written: stores the secret, if it is in use and not stored yet. */
	keep(): MaybePromise<void> {
		// Once more, just before: the shorter the time between, the rarer that two write.
		return this.#isToBeWritten() ? then(this.#load(), () => this.#isToBeWritten() ? this.#write() : undefined) : undefined;
	}

	/** The store was emptied. The next entry that needs the secret brings it back. */
	forget(): void {
		this.#isStored = false;
	}

	/**
	Takes over the secret of another cache, unless this one has its own.

	@returns Whether both digest alike now.
	*/
	async adopt(other: string | Uint8Array): Promise<boolean> {
		const own = await this.get();
		if (Buffer.from(own).equals(Buffer.from(other))) {
			return true;
		}

		if (typeof other === 'string' || this.#given !== undefined || this.#isStored) {
			return false;
		}

		this.#secret = Uint8Array.from(other);
		await this.#replace();
		return this.#isStored;
	}

	#isToBeWritten(): boolean {
		return this.#secret !== undefined && !this.#isStored && this.#clock() >= this.#pausedUntil;
	}

	#isCertain(): boolean {
		const now = this.#clock();
		return now < this.#pausedUntil || (this.#isStored && now >= this.#doubtedUntil);
	}

	#current(): Uint8Array {
		this.isInUse = true;
		this.#secret ??= randomBytes(32);
		return this.#secret;
	}

	#load(): MaybePromise<Uint8Array> {
		return this.#attempt('get', () => this.#store.get(secretKey), value => {
			const stored = value === undefined ? undefined : decode(value);
			this.#isStored = stored !== undefined;
			this.#secret = stored ?? this.#secret;
			return this.#current();
		}, () => this.#current());
	}

	/** Of several processes that begin at once, one's is stored, where the store can tell which. */
	#write(): MaybePromise<void> {
		return this.#store.add === undefined
			? this.#replace()
			: then(this.#attempt('set', () => this.#store.add!(secretKey, this.#encoded(), {expires: undefined, size: 64}), isOurs => {
				this.#note(isOurs);
				return isOurs;
			}, () => true), isOurs => isOurs ? undefined : then(this.#load(), () => this.#isToBeWritten() ? this.#replace() : undefined));
	}

	/** Writes it, whatever is stored. */
	#replace(): MaybePromise<void> {
		return this.#attempt('set', () => this.#store.set(secretKey, this.#encoded(), {expires: undefined, size: 64}), () => {
			this.#note(true);
		}, () => undefined);
	}

	#encoded(): StoredValue {
		return encode(this.#current(), this.#store.holds);
	}

	#note(isStored: boolean): void {
		this.#isStored = isStored;
		this.#doubtedUntil = this.#clock() + doubt;
	}

	#attempt<T, Result>(operation: 'get' | 'set', run: () => MaybePromise<T>, next: (value: T) => Result, standIn: () => Result): MaybePromise<Result> {
		const fail = (error: unknown): Result => {
			this.#pausedUntil = this.#clock() + pause;
			this.#onFault(operation, error);
			return standIn();
		};

		try {
			const answer = run();
			return answer instanceof Promise ? answer.then(next).catch(fail) : next(answer);
		} catch (error) {
			return fail(error);
		}
	}
}

function encode(secret: Uint8Array, holds: Store['holds']): StoredValue {
	const text = prefix + Buffer.from(secret).toString('hex');
	if (holds === 'objects' || holds === 'documents') {
		return {secret: text};
	}

	return holds === 'bytes' ? new TextEncoder().encode(text) : text;
}

/** `undefined` for what is none: another takes its place. */
function decode(value: StoredValue): Uint8Array | undefined {
	const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
	const secret: unknown = typeof text === 'string' ? text : (text as {secret?: unknown}).secret;
	const hex = typeof secret === 'string' && secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
	return /^[\da-f]{64}$/v.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}

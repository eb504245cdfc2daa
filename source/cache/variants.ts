import {Buffer} from 'node:buffer';
import {randomFillSync, randomUUID} from 'node:crypto';
import {varyDigest, variantKey, type Secret} from '../identity/key.ts';
import type {StoredResponse, Variation} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Entries} from './entries.ts';

/**
A stored response and where it lies: under the primary key, or under its variant's.
*/
export type Match = {
	readonly primary: string;
	readonly key: string;
	readonly stored: StoredResponse;
};

/** Nothing stored matches; `varies` says whether other variants of the resource are stored. */
export type NoMatch = {
	readonly stored: undefined;
	readonly varies: boolean;
};

/**
The variants of a resource (RFC 9111 §4.1): the first lies under the primary key, each other under a key that derives from the primary's generation and its own nominated values. So deleting the primary unhooks them all.
*/
export class Variants {
	readonly #entries: Entries;
	readonly #secret: () => MaybePromise<Secret>;
	readonly #beforeVariant: () => MaybePromise<void>;

	/**
	Reads nothing yet.

	@param secret - What the nominated values are digested with: a cookie may be among them.
	@param beforeVariant - What is to be in the store before a variant beside the primary entry is.
	*/
	constructor(entries: Entries, secret: () => MaybePromise<Secret>, beforeVariant: () => MaybePromise<void>) {
		this.#entries = entries;
		this.#secret = secret;
		this.#beforeVariant = beforeVariant;
	}

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies.
	*/
	match(primary: string, request: Fields): MaybePromise<Match | NoMatch> {
		return then(this.#entries.read(primary), stored => {
			if (stored === undefined) {
				return {stored, varies: false};
			}

			const match = {primary, key: primary, stored};
			if (stored.vary === undefined) {
				return match;
			}

			return then(this.#secret(), secret => {
				const variant = varyDigest(secret, stored.vary!.names, request);
				return variant === stored.vary!.digest ? match : then(this.#readVariant(match, variant), found => found ?? {stored: undefined, varies: true});
			});
		});
	}

	#readVariant({primary, stored: {generation, expiredWith}}: Match, variant: string): MaybePromise<Match | undefined> {
		const key = variantKey(generation, variant);
		return then(this.#entries.read(key), stored => stored?.vary?.digest === variant ? {primary, key, stored: asMarked(stored, expiredWith)} : undefined);
	}

	/**
	A stored response as whoever asks for it finds it: a variant only through its primary entry, and stale where that was marked as expired.

	@returns `undefined` where nobody finds it.
	*/
	reach(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return stored.primary === undefined
			? stored
			: then(this.#entries.read(stored.primary), primary => primary?.vary === undefined || primary.generation !== stored.generation
				? undefined
				: asMarked(stored, primary.expiredWith));
	}

	/**
	Writes a response under its primary key, or where another variant lies there, under its own.
	*/
	save(key: string, request: Fields, stored: StoredResponse): MaybePromise<void> {
		return stored.vary === undefined
			? this.#entries.write(key, stored)
			: then(this.#secret(), secret => this.#saveVarying(key, stored, withDigest(stored.vary!, secret, request)));
	}

	#saveVarying(key: string, stored: StoredResponse, {names, digest}: Variation): MaybePromise<void> {
		return then(this.#entries.read(key), primary => {
			if (primary?.vary?.names.join(',') !== names.join(',')) {
				// Variants by other names must not be found through this one.
				return this.#entries.write(key, {...stored, vary: {names, digest}, generation: newGeneration()});
			}

			const {generation, vary, expiredWith} = primary;
			const marked = expiredWith === undefined ? stored : {...stored, expiredWith};
			if (vary.digest === digest) {
				return this.#entries.write(key, {...marked, generation, vary: {names, digest}});
			}

			return then(this.#beforeVariant(), () => this.#entries.write(variantKey(generation, digest), {
				...marked, generation, vary: {names, digest}, primary: key,
			}));
		});
	}
}

function withDigest({names}: Variation, secret: Secret, request: Fields): Variation {
	return {names, digest: varyDigest(secret, names, request)};
}

/** A variant as its primary entry's mark leaves it. */
function asMarked(stored: StoredResponse, mark: string | undefined): StoredResponse {
	return mark === undefined || stored.expiredWith === mark ? stored : {...stored, expires: Math.min(stored.expires ?? Infinity, Number(mark.split(' ', 1)[0]))};
}

/** What marks a primary entry, and with it its variants, as expired. */
export function newMark(now: number): string {
	return `${now} ${randomUUID()}`;
}

/** The name of a generation: variants found through one are not found through the next. */
export function newGeneration(): string {
	if (position === random.byteLength) {
		randomFillSync(random);
		position = 0;
	}

	position += generationBytes;
	return random.toString('base64url', position - generationBytes, position);
}

// Not `randomUUID`: its strings are trees of single bytes, and take as much memory as all else that is stored beside a body.
const generationBytes = 16;
const random = Buffer.alloc(64 * generationBytes);
let position = random.byteLength;

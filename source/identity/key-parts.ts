import {classifyName} from './credentials.ts';
import {
	ignoresName,
	ignoresPath,
	REDACTED,
	tellsWhoAsks,
	type Ignored,
} from './ignored.ts';
import type {JsonPath} from './json.ts';
import {compare} from './parameters.ts';
import type {IdentitySettings} from './types.ts';

const redactedJson = JSON.stringify(REDACTED);

/** A value that nobody may guess from the key: the key has only a keyed digest of it. */
export type HashedPart = readonly [where: string, name: string, value: string | null];

/** Whether the value of a hashed part has been redacted, so that it cannot be known any more. */
export function isRedactedPart(part: HashedPart): boolean {
	return part[2] === REDACTED || part[2] === redactedJson;
}

/** What becomes of a value: it is part of the key in clear, by a keyed digest, or not at all. */
type Use = 'clear' | 'hashed' | 'ignored';

/**
Sorts the values of a request into those that are part of the key in clear, those that are part of it by a keyed digest, and those that are ignored.
*/
export class KeyParts {
	readonly #ignored: Ignored;
	readonly #hasCredentials: boolean;
	readonly #root: string | undefined;
	readonly #hashed: HashedPart[] = [];
	#isLossy = false;
	#hasBodyCredential = false;

	constructor({ignoredParameters, partitionBy, contentRootKey}: IdentitySettings) {
		this.#ignored = ignoredParameters;
		this.#hasCredentials = partitionBy === 'credentials';
		this.#root = contentRootKey;
	}

	/** The hashed parts, in an order that does not depend on that of the request; repeated ones keep theirs. */
	get hashed(): readonly HashedPart[] {
		return this.#hashed.length < 2 ? this.#hashed : this.#hashed.toSorted(([where, name], [otherWhere, otherName]) => where === otherWhere ? compare(name, otherName) : compare(where, otherWhere));
	}

	/** Whether a value that is part of the key in clear has been redacted, so that it cannot be known any more. */
	get isLossy(): boolean {
		return this.#isLossy;
	}

	/** Whether there may be a credential in the body, whatever becomes of it. */
	get hasBodyCredential(): boolean {
		return this.#hasBodyCredential;
	}

	/** Notes a value that is part of the key in clear. */
	show(value: string | undefined): void {
		this.#isLossy ||= value === REDACTED;
	}

	hash(where: string, name: string, value: string | undefined): void {
		this.#hashed.push([where, name, value ?? null]);
	}

	/** A body of which nobody knows what is in it. */
	hashBody(digest: string): void {
		this.#hasBodyCredential = true;
		this.hash('body', '', digest);
	}

	/** Whether a parameter of a query, a form or a multipart body is part of the key in clear. A secret one is hashed. */
	keeps(where: 'query' | 'form' | 'multipart', name: string, value: string | undefined): boolean {
		this.#hasBodyCredential ||= where !== 'query' && classifyName(name) !== 'plain';
		const use = this.#useOf(name, ignoresName(this.#ignored, name));
		if (use === 'hashed') {
			this.hash(where, name, value);
		} else if (use === 'clear') {
			this.show(value);
		}

		return use === 'clear';
	}

	/** Whether a field of a JSON body is part of the key in clear. A secret one is hashed. */
	keepsField(path: JsonPath, value: string): boolean {
		const name = String(path.at(-1));
		this.#hasBodyCredential ||= classifyName(name) !== 'plain';
		const use = this.#useOf(name, this.#ignoresField(path));
		if (use === 'hashed') {
			this.hash('json', JSON.stringify(path), value);
		} else if (use === 'clear') {
			this.show(value === redactedJson ? REDACTED : value);
		}

		return use === 'clear';
	}

	/** Whether a field of a JSON body is not to be stored. */
	isSecretField(path: JsonPath): boolean {
		return this.#ignoresField(path) || classifyName(String(path.at(-1))) !== 'plain';
	}

	/** A header that tells who asks is hashed, unless the settings ignore it and it is not certain that it does. */
	usesHeader(name: string): boolean {
		return this.#hasCredentials && tellsWhoAsks(this.#ignored, name);
	}

	/** An ignored parameter is no part of the key, except for a secret one, which stays part of it while credentials separate users. */
	#useOf(name: string, isIgnored: boolean): Use {
		if (isIgnored) {
			return this.#hasCredentials && isCredential(name, true) ? 'hashed' : 'ignored';
		}

		return isCredential(name, false) ? 'hashed' : 'clear';
	}

	#ignoresField(path: JsonPath): boolean {
		const name = path.at(-1)!;
		return ignoresPath(this.#ignored, path) || (typeof name === 'string' && this.#isBelowRoot(path) && ignoresName(this.#ignored, name));
	}

	#isBelowRoot(path: JsonPath): boolean {
		return this.#root === undefined || (path.length > 1 && path[0] === this.#root);
	}
}

/** Whether the value of a name may be a credential. Where a user ignores a name that may be one or not, the user is right. */
function isCredential(name: string, isIgnored: boolean): boolean {
	const kind = classifyName(name);
	return kind === 'secret' || (kind === 'ambiguous' && !isIgnored);
}

import {
	classifyName,
	ignoresName,
	ignoresPath,
	REDACTED,
	tellsWhoAsks,
	type CredentialClass,
	type Ignored,
} from './credentials.ts';
import type {JsonPath} from './json.ts';
import {
	holdsCredential,
	isSecretForm,
	isSecretString,
	isSecretValue,
	redactReferences,
} from './references.ts';
import type {IdentitySettings} from './types.ts';

/**
Sorts the values of a request into those that are part of the key in clear, those that are part of it by a keyed digest, and those that are ignored.
*/
export class KeyParts {
	readonly #ignored: Ignored;
	readonly #hasCredentials: boolean;
	readonly #root: string | undefined;
	readonly #hashed: HashedPart[] = [];
	#pathsLength = 0;
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

	/** Whether there may be a credential in the body, whatever becomes of it. */
	get hasBodyCredential(): boolean {
		return this.#hasBodyCredential;
	}

	/** Adds a hashed part. */
	hash(where: string, name: string, value: string | undefined): void {
		this.#hashed.push([where, name, value ?? null]);
	}

	/** Adds the digest of a body whose content cannot be read. */
	hashBody(digest: string): void {
		this.#hasBodyCredential = true;
		this.hash('body', '', digest);
	}

	/** Whether a body has a credential in it, though its type says nothing of named values. */
	showsCredential(text: string): boolean {
		return holdsCredential(text, this.#ignored) || isSecretForm(text, this.#ignored);
	}

	/** Whether a parameter of a query, a path, a form or a multipart body is part of the key in clear. A secret one is hashed. */
	keeps(where: 'query' | 'path' | 'form' | 'multipart', name: string, value: string | undefined): boolean {
		const own = classifyName(name);
		const isHeld = own === 'plain' && value !== undefined && (value === REDACTED || isSecretValue(value, this.#ignored));
		const kind = isHeld ? valueClass : own;
		this.#hasBodyCredential ||= (where === 'form' || where === 'multipart') && kind !== 'plain';
		const use = this.#useOf(kind, ignoresName(this.#ignored, name));
		if (use === 'hashed') {
			this.hash(where, name, value);
		}

		return use === 'clear';
	}

	/**
	Whether a field of a JSON body is part of the key in clear. A secret one is hashed.

	@throws {RangeError} Where the paths of the hashed fields are too long together: the body is not to be read.
	*/
	keepsField(path: JsonPath, value: string, isString: boolean): boolean {
		const kind = this.#classOfField(path, value, isString);
		this.#hasBodyCredential ||= kind !== 'plain';
		const use = this.#useOf(kind, this.#ignoresField(path));
		if (use === 'hashed') {
			this.hash('json', this.#textOf(path), value);
		}

		return use === 'clear';
	}

	#textOf(path: JsonPath): string {
		const text = JSON.stringify(path);
		this.#pathsLength += text.length;
		if (this.#pathsLength > maxPathsLength) {
			throw new RangeError('The paths of the hashed fields are too long');
		}

		return text;
	}

	/** Whether the value of a field of a JSON body must not be stored. */
	isSecretField(path: JsonPath, value: string, isString: boolean): boolean {
		return this.#ignoresField(path) || this.#classOfField(path, value, isString) !== 'plain';
	}

	/** Whether the value of a header with a plain name is part of the key in clear. A value that has, or had, a credential in it is hashed. */
	keepsHeader(where: 'reference' | 'target', name: string, value: string): boolean {
		const isKept = !value.includes(REDACTED) && redactReferences(value, this.#ignored) === value;
		if (!isKept) {
			this.hash(where, name, value);
		}

		return isKept;
	}

	/**
	Reads a body that may turn out to be no JSON, or to have too long paths: then nothing of it stays hashed.

	@param read - Gives `undefined` where the body cannot be read.
	*/
	attempt(read: () => string | undefined): string | undefined {
		const {length} = this.#hashed;
		const text = read();
		if (text === undefined) {
			this.#hashed.length = length;
		}

		return text;
	}

	/** Whether a header is hashed since it tells who asks: not without `partitionBy: 'credentials'`, nor where its name is ambiguous and the settings ignore it. */
	usesHeader(name: string): boolean {
		return this.#hasCredentials && tellsWhoAsks(this.#ignored, name);
	}

	/** An ignored parameter is no part of the key, except for a secret one, which stays part of it while credentials separate users. */
	#useOf(kind: CredentialClass, isIgnored: boolean): Use {
		if (isIgnored) {
			return this.#hasCredentials && isCredential(kind, true) ? 'hashed' : 'ignored';
		}

		return isCredential(kind, false) ? 'hashed' : 'clear';
	}

	#classOfField(path: JsonPath, value: string, isString: boolean): CredentialClass {
		const name = path.at(-1)!;
		// The index of an item says nothing of it.
		const kind = typeof name === 'number' ? 'plain' : classifyName(name);
		return kind === 'plain' && isString && (value === redactedJson || isSecretString(value, this.#ignored)) ? valueClass : kind;
	}

	#ignoresField(path: JsonPath): boolean {
		const name = path.at(-1)!;
		return ignoresPath(this.#ignored, path) || (typeof name === 'string' && this.#isBelowRoot(path) && ignoresName(this.#ignored, name));
	}

	#isBelowRoot(path: JsonPath): boolean {
		return this.#root === undefined || (path.length > 1 && path[0] === this.#root);
	}
}

/** What becomes of a value: it is part of the key in clear, by a keyed digest, or not at all. */
type Use = 'clear' | 'hashed' | 'ignored';

/** A value that must not be guessed from the key, which has only a keyed digest of it; `null` for a name without a value. */
export type HashedPart = readonly [where: string, name: string, value: string | null];

/** Whether the value of a hashed part, or some of it, has been redacted, so that it cannot be known any more. */
export function isRedactedPart(part: HashedPart): boolean {
	return part[2]?.includes(REDACTED) === true;
}

/** Whether a value may be a credential. Where a user ignores a name that may be one or not, the user is right. */
function isCredential(kind: CredentialClass, isIgnored: boolean): boolean {
	return kind === 'secret' || (kind === 'ambiguous' && !isIgnored);
}

const redactedJson = JSON.stringify(REDACTED);

/** The class of a plain name whose value has, or had, a credential in it: the same as that of an ambiguous name. */
const valueClass = 'ambiguous';

/**
The most characters of the paths of the hashed fields of one JSON body: 1 MiB, four times the longest body that is read. Each hashed field has its whole path in the key, so that a body of 256 KiB could have paths of gigabytes.
*/
const maxPathsLength = 1024 * 1024;

/**
The parameters of a query or a form, escapes in one form, sorted by name if they are to be. Repeated ones keep their order; `a` and `a=` stay apart.

@param keeps - Whether a parameter is part of the result; its name is decoded, its value is not, and `undefined` where there is no `=`.
*/
export function normalizeParameters(text: string, keeps: (name: string, value: string | undefined) => boolean, isSorted = true): string {
	const kept: Array<readonly [name: string, part: string]> = [];
	for (const raw of text.split('&')) {
		if (raw === '' && isSorted) {
			continue;
		}

		const part = normalizeEscapes(raw);
		const [name, value] = split(part);
		if (keeps(decode(name), value)) {
			kept.push([name, part]);
		}
	}

	if (isSorted && kept.length > 1) {
		kept.sort(([a], [b]) => compare(a, b));
	}

	return kept.map(([, part]) => part).join('&');
}

/** The name and the value of a parameter, as they are written. */
export function split(part: string): [name: string, value: string | undefined] {
	const index = part.indexOf('=');
	return index === -1 ? [part, undefined] : [part.slice(0, index), part.slice(index + 1)];
}

/** A name or a value of a parameter; as it is written where it cannot be decoded. */
export function decode(text: string): string {
	if (!/[%+]/v.test(text)) {
		return text;
	}

	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

/** RFC 3986 §6.2.2: escapes of unreserved characters are undone, the others written in upper case. */
export function normalizeEscapes(text: string): string {
	// A space has one form only, and texts have many of them.
	return text.includes('%') ? text.replaceAll(/%(?!20)[\da-f]{2}/giv, escape => normalEscapes[Number.parseInt(escape.slice(1), 16)]!) : text;
}

const normalEscapes: readonly string[] = Array.from({length: 256}, (_, code) => {
	const character = String.fromCodePoint(code);
	return /[\w\-.~]/v.test(character) ? character : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** By code unit, not by locale: keys are the same everywhere. */
export function compare(a: string, b: string): number {
	if (a === b) {
		return 0;
	}

	return a < b ? -1 : 1;
}

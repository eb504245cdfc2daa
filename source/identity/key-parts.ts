import type {Fields} from '../policy/fields.ts';
import {
	type Ignored,
	ignoresName,
	ignoresPath,
	REDACTED,
	tellsWhoAsks,
	classifyName,
} from './credentials.ts';
import type {CredentialClass} from './credential-table.ts';
import {type JsonPath, compare} from './json.ts';
import {
	holdsCredential,
	isSecretForm,
	isSecretString,
	isSecretValue,
	redactReferences,
} from './references.ts';

/**
A request of which a key is made: as it will be sent.
*/
export type KeyRequest = {
	/** The method, with the one that an override header asks for behind a colon: `POST:PUT`. */
	readonly method: string;

	/** The URL of the connection. A `Host` header may name another authority. */
	readonly url: string;
	readonly headers: Fields;
	readonly body?: string | Uint8Array | undefined;

	/** A digest of the TLS settings that decide whom the client believes and as whom it speaks; `undefined` where they are the defaults. */
	readonly trust?: string | undefined;
};

/**
A request as it is stored: secrets are replaced. Of a body that is neither JSON nor a form, only the parts of its identity are there.
*/
export type StorableRequest = KeyRequest & {
	readonly bodyParts?: readonly string[] | undefined;
};

/** Names the tenant that a request is for: tenants never share a response. */
export type PartitionCallback = (request: KeyRequest) => string;

/**
Makes the key of a request, or gives `undefined` for one that is not to be cached. `createKey` makes the key that the request would have without a `keyFn`.
*/
export type KeyCallback = (request: KeyRequest, createKey: (request: KeyRequest) => string) => string | undefined | Promise<string | undefined>;

/** The settings that decide the identity of a request, parsed. */
export type IdentitySettings = {
	/** The request headers that are included in the key: none, all, or those named (in lower case). */
	readonly matchHeaders: boolean | readonly string[];
	readonly partitionBy: 'credentials' | false | PartitionCallback;
	readonly ignoredParameters: Ignored;

	/** The member of a JSON body below which parameters are ignored by name; `undefined` is everywhere. */
	readonly contentRootKey?: string | undefined;

	/** Whether the order of query parameters is part of the key (RFC 9111 §4 compares URLs as RFC 3986 does). */
	readonly cacheControl?: boolean | undefined;
};

/** The settings of identity with the function that takes the place of the default key. */
export type KeySettingsOfCache = IdentitySettings & {
	readonly keyFn: KeyCallback | undefined;
};

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

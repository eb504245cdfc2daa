import type {Fields} from '../policy/fields.ts';
import {
	type Ignored,
	ignoresName,
	ignoresPath,
	REDACTED,
	isCredentialHeader,
	classifyName,
} from './credentials.ts';
import type {CredentialClass} from './credential-table.ts';
import {type JsonPath, compare} from './json.ts';
import {
	containsCredential,
	isSecretForm,
	isSecretString,
	isSecretValue,
	redactReferences,
} from './references.ts';

/**
A request that a key is made for, as it will be sent.
*/
export type KeyRequest = {
	/** The method, followed by a colon and the method of an override header: `POST:PUT`. */
	readonly method: string;

	/** The URL of the connection. A `Host` header may name another authority. */
	readonly url: string;

	/** The header fields by lower-case name. */
	readonly headers: Fields;

	/** The body; absent if there is none. */
	readonly body?: string | Uint8Array | undefined;

	/** A digest of the TLS settings that decide which servers the client trusts and which certificate it presents; absent for the defaults. */
	readonly trust?: string | undefined;
};

/**
A request as it is stored, with credentials replaced. A body that is neither JSON nor a form is stored as its parts of the key.
*/
export type StorableRequest = KeyRequest & {
	readonly bodyParts?: readonly string[] | undefined;
};

/** Returns the tenant of a request. Tenants never share a response. */
export type PartitionCallback = (request: KeyRequest) => string;

/**
Returns the key of a request, or `undefined` if the request is not to be cached. `createKey` makes the default key.
*/
export type KeyCallback = (request: KeyRequest, createKey: (request: KeyRequest) => string) => string | undefined | Promise<string | undefined>;

/** The parsed settings that the identity of a request depends on. */
export type IdentitySettings = {
	/** The request headers that are included in the key: none, all, or the named ones (in lower case). */
	readonly matchHeaders: boolean | readonly string[];
	readonly partitionBy: 'credentials' | false | PartitionCallback;
	readonly ignoredParameters: Ignored;

	/** The member of a JSON body below which fields are ignored by name; `undefined` means everywhere. */
	readonly contentRootKey?: string | undefined;

	/** Whether the order of query parameters is part of the key (RFC 9111 §4). */
	readonly cacheControl?: boolean | undefined;
};

/** The identity settings with the user's function for keys. */
export type KeySettingsOfCache = IdentitySettings & {
	readonly keyFn: KeyCallback | undefined;
};

/**
Sorts the values of a request into those that are included in the key in clear, those that are included by a keyed digest, and those that are ignored.
*/
export class KeyParts {
	readonly #ignored: Ignored;
	readonly #hasCredentials: boolean;
	readonly #root: string | undefined;
	readonly #hashed: HashedPart[] = [];
	#pathsLength = 0;

	/** Whether the body may contain a credential. */
	hasBodyCredential = false;

	constructor({ignoredParameters, partitionBy, contentRootKey}: IdentitySettings) {
		this.#ignored = ignoredParameters;
		this.#hasCredentials = partitionBy === 'credentials';
		this.#root = contentRootKey;
	}

	/** The hashed parts, sorted by place and name. Repeated ones keep their order. */
	get hashed(): readonly HashedPart[] {
		return this.#hashed.length < 2 ? this.#hashed : this.#hashed.toSorted(([where, name], [otherWhere, otherName]) => where === otherWhere ? compare(name, otherName) : compare(where, otherWhere));
	}

	/** Adds a hashed part. */
	hash(where: string, name: string, value: string | undefined): void {
		this.#hashed.push([where, name, value ?? null]);
	}

	/** Adds the digest of a body that cannot be read. */
	hashBody(digest: string): void {
		this.hasBodyCredential = true;
		this.hash('body', '', digest);
	}

	/** Whether a body of a type without named values contains a credential. */
	containsCredential(text: string): boolean {
		return containsCredential(text, this.#ignored) || isSecretForm(text, this.#ignored);
	}

	/**
	Sorts a parameter of a query, a path, a form or a multipart body. A credential is hashed.

	@returns Whether it is included in clear.
	*/
	addParameter(where: 'query' | 'path' | 'form' | 'multipart', name: string, value: string | undefined): boolean {
		const own = classifyName(name);
		const hasCredential = own === 'plain' && value !== undefined && (value === REDACTED || isSecretValue(value, this.#ignored));
		const kind = hasCredential ? valueClass : own;
		this.hasBodyCredential ||= (where === 'form' || where === 'multipart') && kind !== 'plain';
		const use = this.#useOf(kind, ignoresName(this.#ignored, name));
		if (use === 'hashed') {
			this.hash(where, name, value);
		}

		return use === 'clear';
	}

	/**
	Sorts a field of a JSON body. A credential is hashed.

	@returns Whether it is included in clear.
	@throws {RangeError} If the total length of the paths of hashed fields is too long, so that the body counts as unreadable.
	*/
	addField(path: JsonPath, value: string, isString: boolean): boolean {
		const kind = this.#classOfField(path, value, isString);
		this.hasBodyCredential ||= kind !== 'plain';
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

	/**
	Sorts the value of a header with a plain name. A value that contains, or contained, a credential is hashed.

	@returns Whether it is included in clear.
	*/
	addHeader(where: 'reference' | 'target', name: string, value: string): boolean {
		const isClear = !value.includes(REDACTED) && redactReferences(value, this.#ignored) === value;
		if (!isClear) {
			this.hash(where, name, value);
		}

		return isClear;
	}

	/**
	Reads a body, and removes the parts that were hashed meanwhile if it cannot be read.

	@param read - Returns `undefined` if the body cannot be read.
	*/
	attempt(read: () => string | undefined): string | undefined {
		const {length} = this.#hashed;
		const text = read();
		if (text === undefined) {
			this.#hashed.length = length;
		}

		return text;
	}

	/** Whether a header is a credential that is hashed, by `partitionBy: 'credentials'`. */
	isCredentialHeader(name: string): boolean {
		return this.#hasCredentials && isCredentialHeader(this.#ignored, name);
	}

	/** With `partitionBy: 'credentials'`, a secret parameter is included even if it is ignored. */
	#useOf(kind: CredentialClass, isIgnored: boolean): Use {
		if (!isIgnored) {
			return kind === 'plain' ? 'clear' : 'hashed';
		}

		// An ambiguous name that the settings ignore is no credential.
		return kind === 'secret' && this.#hasCredentials ? 'hashed' : 'ignored';
	}

	#classOfField(path: JsonPath, value: string, isString: boolean): CredentialClass {
		const name = path.at(-1)!;
		// The index of an item has no class.
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

/** How a value is included in the key: in clear, by a keyed digest, or not at all. */
type Use = 'clear' | 'hashed' | 'ignored';

/** A value that is included by a keyed digest, so that it cannot be guessed from the key. `null` is a name without a value. */
export type HashedPart = readonly [where: string, name: string, value: string | null];

/** Whether the value of a hashed part has been redacted, at least partly, and is unknown. */
export function isRedactedPart(part: HashedPart): boolean {
	return part[2]?.includes(REDACTED) === true;
}

const redactedJson = JSON.stringify(REDACTED);

/** The class of a plain name whose value contains, or contained, a credential. */
const valueClass = 'ambiguous';

/**
The maximum length of the paths of hashed fields of one JSON body together. Each hashed field has its whole path in the key, so that the paths of a body of 256 KiB could have gigabytes.
*/
const maxPathsLength = 1024 * 1024;

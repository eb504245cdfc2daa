import {isCredential, maybeCredential} from './credentials.ts';
import {
	ignoresName,
	ignoresPath,
	REDACTED,
	type Ignored,
} from './ignored.ts';
import type {JsonPath} from './json.ts';
import {compare} from './parameters.ts';
import type {MatchSettings} from './types.ts';

const redactedJson = JSON.stringify(REDACTED);

/** A value that parts the key and must not be guessed from it: it counts by a digest that is keyed. */
export type Sealed = readonly [where: string, name: string, value: string | null];

/**
Parts what a key may be made of in clear from what is ignored and from what is secret.
*/
export class Sieve {
	readonly #ignored: Ignored;
	readonly #partitions: boolean;
	readonly #root: string | undefined;
	readonly #sealed: Sealed[] = [];
	#isLossy = false;

	constructor({ignoredParameters, partitionBy, contentRootKey}: MatchSettings) {
		this.#ignored = ignoredParameters;
		this.#partitions = partitionBy === 'credentials';
		this.#root = contentRootKey;
	}

	/** In an order that does not depend on that of parameters; repeated ones keep theirs. */
	get sealed(): readonly Sealed[] {
		return this.#sealed.length < 2 ? this.#sealed : this.#sealed.toSorted(([where, name], [otherWhere, otherName]) => where === otherWhere ? compare(name, otherName) : compare(where, otherWhere));
	}

	/** Whether something that counts in clear has been redacted: what it was cannot be known any more. */
	get isLossy(): boolean {
		return this.#isLossy;
	}

	/** What counts in clear. */
	show(value: string | undefined): void {
		this.#isLossy ||= value === REDACTED;
	}

	seal(where: string, name: string, value: string | undefined): void {
		this.#sealed.push([where, name, value ?? null]);
	}

	/** Whether a parameter of a query or a form counts in clear. */
	keeps(where: string, name: string, value: string | undefined): boolean {
		return this.#judge(name, value, ignoresName(this.#ignored, name), () => {
			this.seal(where, name, value);
		});
	}

	/** Whether a field of a JSON body counts in clear. */
	keepsField(path: JsonPath, value: string): boolean {
		return this.#judge(String(path.at(-1)), value === redactedJson ? REDACTED : value, this.#ignoresField(path), () => {
			this.seal('json', JSON.stringify(path), value);
		});
	}

	/** Whether a field of a JSON body is not to be stored. */
	isSecretField(path: JsonPath): boolean {
		return this.#ignoresField(path) || isCredential(String(path.at(-1)));
	}

	/** What is ignored parts nothing, but for credentials, which part the partition; those that are not ignored part the key, too. */
	#judge(name: string, value: string | undefined, isIgnored: boolean, seal: () => void): boolean {
		if (isIgnored ? this.#partitions && maybeCredential(name) : isCredential(name)) {
			seal();
			return false;
		}

		if (!isIgnored) {
			this.show(value);
		}

		return !isIgnored;
	}

	#ignoresField(path: JsonPath): boolean {
		const name = path.at(-1)!;
		return ignoresPath(this.#ignored, path) || (typeof name === 'string' && this.#isBelowRoot(path) && ignoresName(this.#ignored, name));
	}

	#isBelowRoot(path: JsonPath): boolean {
		return this.#root === undefined || (path.length > 1 && path[0] === this.#root);
	}
}

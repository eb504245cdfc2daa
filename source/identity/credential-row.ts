/**
What a name says of its value.

- `secret`: a credential. It parts the key by a keyed digest and is redacted wherever something is written or shown.
- `ambiguous`: a credential with some services, data with others. It parts the key by a keyed digest, and is redacted in what is written and shown.
- `plain`: it parts the key in clear and is stored and shown.
*/
export type CredentialClass = 'secret' | 'ambiguous' | 'plain';

/**
A row of the table. A name is matched by its last words; of several rows the first that matches counts.
*/
export type CredentialRow = {
	readonly class: CredentialClass;

	/** The last word of the name, or the last words with a space between them. */
	readonly ends: readonly string[];

	/** One of these words must stand directly before. Where there is no such list, anything or nothing may stand there. */
	readonly directlyAfter?: readonly string[];

	/** One of these words must stand somewhere before. */
	readonly after?: readonly string[];

	/** Names that the row matches. */
	readonly examples: readonly string[];

	readonly why: string;
};

/** Words with white space between them. */
export const list = (words: string): readonly string[] => words.trim().split(/\s+/v);

/** Phrases of several words, with commas between them. */
export const phrases = (text: string): readonly string[] => text.trim().split(/,\s+/v);

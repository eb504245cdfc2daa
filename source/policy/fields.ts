/** Header fields by lower-case name. A field with several lines is a list, in the order received. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** An object without a prototype, for header fields. `Object.create(null)` gives a hash table instead, which has four times the size and takes several times as long to fill. */
export class BareFields { // eslint-disable-line @typescript-eslint/no-extraneous-class -- Its objects have fields.
	static {
		Object.setPrototypeOf(this.prototype, null);
		Reflect.deleteProperty(this.prototype, 'constructor');
	}
}

/** Returns the lines of a field, in the order received. */
export function fieldLines(fields: Fields, name: string): readonly string[] {
	const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
	if (value === undefined) {
		return [];
	}

	return typeof value === 'string' ? [value] : value;
}

/** Returns the value of a field. Several lines are joined to one list (RFC 9110 §5.3). */
export function fieldValue(fields: Fields, name: string): string | undefined {
	const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
	if (typeof value === 'string' || value === undefined) {
		return value;
	}

	return value.length === 0 ? undefined : value.join(', ');
}

const noTokens: readonly string[] = [];

/** Returns the members of a list of tokens in lower case, without empty ones (RFC 9110 §5.6.1). */
export function fieldTokens(fields: Fields, name: string): readonly string[] {
	const value = fieldValue(fields, name);
	return value === undefined ? [] : value.split(',').map(token => trimSpace(token).toLowerCase()).filter(token => token !== '');
}

// RFC 9110 §5.6.2.
const token = /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v;

/** Whether a text is a token, such as the name of a field, a method or a directive. */
export function isToken(text: string): boolean {
	return token.test(text);
}

/** Removes optional white space from both ends of a text: spaces and tabs only (RFC 9110 §5.6.3). */
export function trimSpace(text: string): string {
	let start = 0;
	let end = text.length;
	// A regular expression would take quadratic time on a long run of spaces.
	while (start < end && isSpace(text[start])) {
		start++;
	}

	while (end > start && isSpace(text[end - 1])) {
		end--;
	}

	return text.slice(start, end);
}

function isSpace(character: string | undefined): boolean {
	return character === ' ' || character === '\t';
}

/** The maximum number of request fields by which a response may vary. Each of them is normalized for every request for the resource; real responses name up to a dozen. */
export const maxNominatedFields = 32;

/**
Returns the request fields that a response names in `Vary`, sorted, each once (RFC 9110 §12.5.5).

@returns `'*'` if `Vary` is `*`, has more than 32 names, or is malformed: no other request matches the response.
*/
export function nominatedFields(response: Fields): readonly string[] | '*' {
	const value = fieldValue(response, 'vary');
	if (value === undefined) {
		return noTokens;
	}

	const names = new Set<string>();
	for (const member of value.split(',')) {
		const name = trimSpace(member).toLowerCase();
		if (name === '') {
			continue;
		}

		names.add(name);
		if (name === '*' || !isToken(name) || names.size > maxNominatedFields) {
			return '*';
		}
	}

	return [...names].toSorted();
}

/** The maximum number of tags of one response, from its headers and the settings. Every hit looks up each of them. Akamai and Next.js have the same limit. */
export const maxTags = 128;

/** The maximum length of a tag in UTF-16 code units, as in Next.js. */
export const maxTagLength = 256;

/** Returns the tags in the headers of a response, each once. `Cache-Tag` separates them by commas, `Surrogate-Key` by white space. */
export function tagsOf(fields: Fields): readonly string[] {
	if (fields['cache-tag'] === undefined && fields['surrogate-key'] === undefined) {
		return noTokens;
	}

	const names = [
		...fieldLines(fields, 'cache-tag').flatMap(line => line.split(',')),
		...fieldLines(fields, 'surrogate-key').flatMap(line => line.split(/[\t ]/v)),
	];
	return [...new Set(names.map(name => trimSpace(name)))].filter(name => name !== '');
}

/** Whether these tags are within the limits of number and length. */
export function areTagsBounded(tags: readonly string[]): boolean {
	return tags.length === 0 || (tags.every(tag => isTag(tag)) && (tags.length <= maxTags || new Set(tags).size <= maxTags));
}

/** Whether a value is a valid tag: a string of 1 to 256 characters. */
export function isTag(value: unknown): value is string {
	return typeof value === 'string' && value !== '' && value.length <= maxTagLength;
}

/** Appends a member to a list, such as `Cache-Status` (RFC 9211 §2). The existing text stays as it is, even if it is malformed. */
export function appendMember(existing: string | undefined, member: string): string {
	return existing === undefined || trimSpace(existing) === '' ? member : `${existing}, ${member}`;
}

/** Header lines as they were received: name, value, name, value. Names keep their letter case. */
export type RawFields = readonly string[];

// The fields of one connection or one exchange (RFC 9111 §3.1, RFC 9110 §7.6.1).
const neverStored = new Set([
	'connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** The fields that set a cookie. They are not stored without `storeSetCookie`, since a cookie is for one client at one time. */
export const cookieFields: readonly string[] = ['set-cookie', 'set-cookie2'];

/**
Returns the header lines of a response that may be stored (RFC 9111 §3.1).

@param excluded - The lower-case names of further fields that are not stored.
@param isStorable - Returns whether any other line may be stored. Default: each may.
*/
export function storableFields(raw: RawFields, excluded: readonly string[], isStorable: LinePredicate = always): string[] {
	const listed = connectionListed(raw);
	// A few names are searched sooner than a set of them is made.
	const others = excluded.length > fewNames ? new Set(excluded) : undefined;
	// RFC 9113 §8.3: pseudo-headers are no fields. The package `http2-wrapper` (Got 15) lists them nevertheless.
	return filterLines(raw, (name, value) => !neverStored.has(name) && !listed.has(name) && !(others?.has(name) ?? excluded.includes(name)) && !name.startsWith(':') && isStorable(name, value));
}

const fewNames = 8;

/** Updates the stored header lines by those of a 304 (RFC 9111 §3.2). A field of the 304 replaces all lines of that name. */
export function freshenedFields(stored: RawFields, update: RawFields, excluded: readonly string[]): string[] {
	const news = filterLines(storableFields(update, excluded), name => !describingContent.has(name));
	const replaced = new Set(excluded).add('age').add('date');
	for (let index = 0; index < news.length; index += 2) {
		replaced.add(news[index]!.toLowerCase());
	}

	return [...filterLines(stored, name => !replaced.has(name)), ...news];
}

// Fields that describe the stored bytes are not updated (RFC 9111 §3.2).
const describingContent = new Set(['content-encoding', 'content-length', 'content-range']);

/** Adds a `Date` with the moment when the response was received, if the origin sent none (RFC 9110 §6.6.1). */
export function datedFields(raw: RawFields, received: number): RawFields {
	return hasLine(raw, 'date') ? raw : [...raw, 'Date', formatHttpDate(received)];
}

/** Replaces a field by a single line at the end. */
export function replaceField(raw: RawFields, name: string, value: string): string[] {
	return [...withoutField(raw, name), name, value];
}

/** Removes all lines of a field. */
export function withoutField(raw: RawFields, name: string): string[] {
	return filterLines(raw, other => other !== name.toLowerCase());
}

/** Returns the header lines of the 304 that is made from a stored response. */
export function notModifiedFields(raw: RawFields): string[] {
	return filterLines(raw, name => ofNotModified.has(name));
}

// RFC 9110 §15.4.5.
const ofNotModified = new Set(['cache-control', 'content-location', 'date', 'etag', 'expires', 'last-modified', 'vary']);

/** Returns the names in `Connection`, beside those that are never stored. */
function connectionListed(raw: RawFields): ReadonlySet<string> {
	let listed: Set<string> | undefined;
	for (let index = 0; index < raw.length; index += 2) {
		if (!isNamed(raw[index]!, 'connection')) {
			continue;
		}

		const value = raw[index + 1]!.toLowerCase();
		// Nearly every response has a value of one name.
		if (neverStored.has(value)) {
			continue;
		}

		listed ??= new Set();
		for (const name of value.match(tokens) ?? []) {
			listed.add(name);
		}
	}

	return listed ?? noNames;
}

const noNames: ReadonlySet<string> = new Set();

/** Whether a name is that of a field in lower case. Another length needs no copy in lower case. */
function isNamed(name: string, field: string): boolean {
	return name.length === field.length && name.toLowerCase() === field;
}

function hasLine(raw: RawFields, field: string): boolean {
	for (let index = 0; index < raw.length; index += 2) {
		if (isNamed(raw[index]!, field)) {
			return true;
		}
	}

	return false;
}

// Any other character separates the names, so that a malformed list does not let more fields be stored.
const tokens = /[\w!#$%\u{26}'*+\-.^`\|~]+/gv;

/** A condition of a header line, with its name in lower case. */
type LinePredicate = (name: string, value: string) => boolean;

function always(): boolean {
	return true;
}

/** Returns some of the header lines. */
export function filterLines(raw: RawFields, keep: LinePredicate): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (keep(raw[index]!.toLowerCase(), raw[index + 1]!)) {
			lines.push(raw[index]!, raw[index + 1]!);
		}
	}

	return lines;
}

// The first and the last moment whose year has four digits.
const first = -62_167_219_200_000;
const last = 253_402_300_799_999;

/** Formats a moment as an IMF-fixdate (RFC 9110 §5.6.7). A moment whose year has more than four digits becomes the nearest one with four. */
export function formatHttpDate(milliseconds: number): string {
	return new Date(Math.min(Math.max(milliseconds, first), last)).toUTCString();
}

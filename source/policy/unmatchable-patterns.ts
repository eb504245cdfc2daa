import {
	globTokens,
	tokenSource,
	withoutScheme,
	type UrlPattern,
} from './url-patterns.ts';

type Place = 'start' | 'host' | 'address' | 'port' | 'path' | 'c' | 'ca' | 'cal' | 'call' | 'name';

/** What a URL is made of, as the URL parser writes it, without the scheme: at each place, the characters that may follow and the place after them. It allows more than a URL may have, but nothing less. The results of functions have URLs such as `call:Weather.today`. */
const grammar: ReadonlyArray<{readonly from: Place; readonly allowed: RegExp; readonly to: Place}> = [
	{from: 'start', allowed: /[\d!"$%\u{26}'\(\)*+,\-.;=_`a-z\{\}~]/v, to: 'host'},
	{from: 'start', allowed: /\[/v, to: 'address'},
	{from: 'address', allowed: /[\d.:a-f]/v, to: 'address'},
	{from: 'address', allowed: /\]/v, to: 'host'},
	{from: 'host', allowed: /[\d!"$%\u{26}'\(\)*+,\-.;=_`a-z\{\}~]/v, to: 'host'},
	{from: 'host', allowed: /:/v, to: 'port'},
	{from: 'port', allowed: /\d/v, to: 'port'},
	{from: 'host', allowed: /\//v, to: 'path'},
	{from: 'port', allowed: /\//v, to: 'path'},
	{from: 'path', allowed: /[\w!#$%\u{26}'\(\)*+,\-.\/:;=?@\[\\\]^`\{\|\}~]/v, to: 'path'},
	{from: 'start', allowed: /c/v, to: 'c'},
	{from: 'c', allowed: /a/v, to: 'ca'},
	{from: 'ca', allowed: /l/v, to: 'cal'},
	{from: 'cal', allowed: /l/v, to: 'call'},
	{from: 'call', allowed: /:/v, to: 'name'},
	{from: 'name', allowed: /[\w!%'\(\)*\-.~]/v, to: 'name'},
];

/** The characters of a URL: printable ASCII without the space. */
const alphabet = Array.from({length: 94}, (_, index) => String.fromCodePoint(0x21 + index));

/**
Returns why no URL can match a pattern; `undefined` if one can, or if that is not known: a `URLPattern` is not examined, and a `RegExp` only up to its first special character.

@example
```
whyUnmatchable('/users/*');
//=> 'begins with a slash, but a URL is compared from its host on'
```
*/
export function whyUnmatchable(pattern: UrlPattern): string | undefined {
	if (typeof pattern === 'string') {
		return whyGlob(pattern);
	}

	return pattern instanceof RegExp && isUnmatchable(pattern) ? 'is anchored, but a URL begins with its scheme, such as `https://`' : undefined;
}

/** Returns the glob before another one that matches all URLs which the other one could match. */
export function coveringGlob(glob: string, earlier: readonly UrlPattern[]): string | undefined {
	const text = withoutScheme(glob);
	return earlier.filter(pattern => typeof pattern === 'string').find(pattern => {
		const [start = '', ...others] = withoutScheme(pattern).split('*');
		return others.join('') === '' && !/[?\[]/v.test(start) && text.startsWith(start);
	});
}

function whyGlob(glob: string): string | undefined {
	const text = withoutScheme(glob);
	if (text.startsWith('/')) {
		return 'begins with a slash, but a URL is compared from its host on';
	}

	if (/^[^\/]*@/v.test(text)) {
		return 'has a user, and a URL is compared without one';
	}

	let places: ReadonlySet<Place> = new Set(['start']);
	for (const [token, groups] of globTokens(text)) {
		places = groups.star === undefined ? after(places, charactersOf(groups)) : anywhereAfter(places);
		if (places.size === 0) {
			return `has \`${token}\` where no URL has it: hosts are in lower case and ASCII, and paths are percent-encoded`;
		}
	}

	return undefined;
}

function charactersOf(groups: Readonly<Partial<Record<string, string>>>): readonly string[] {
	if (groups.literal !== undefined) {
		return [groups.literal];
	}

	const token = new RegExp(`^${tokenSource(groups)}$`, 'sv');
	return alphabet.filter(character => token.test(character));
}

function after(places: ReadonlySet<Place>, characters: readonly string[]): ReadonlySet<Place> {
	return new Set(grammar.filter(({from, allowed}) => places.has(from) && characters.some(character => allowed.test(character))).map(({to}) => to));
}

function anywhereAfter(places: ReadonlySet<Place>): ReadonlySet<Place> {
	let reached = places;
	let next = after(reached, alphabet);
	while (!next.isSubsetOf(reached)) {
		reached = reached.union(next);
		next = after(reached, alphabet);
	}

	return reached;
}

const schemes = ['http://', 'https://', 'call:'];

/** Whether a regular expression begins with an anchor and characters with which no URL begins. */
function isUnmatchable({source, flags}: RegExp): boolean {
	// With an alternative or a quantifier, the characters may not have to come.
	const literal = source.includes('|') ? undefined : /^\^(?<text>(?:[\w\-:]|\\?\/|\\[\-.])+)(?<next>.?)/v.exec(source)?.groups;
	if (literal === undefined) {
		return false;
	}

	const {text = '', next = ''} = literal;
	const plain = text.replaceAll('\\', '');
	const required = ['?', '*', '{'].includes(next) ? plain.slice(0, -1) : plain;
	const prefix = flags.includes('i') ? required.toLowerCase() : required;
	return schemes.every(scheme => !(scheme.startsWith(prefix) || prefix.startsWith(scheme)));
}

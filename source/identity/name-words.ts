import {
	credentialTable,
	neutralWords,
	questionWords,
	otherWords,
	strongEndings,
	strongMiddles,
} from './credential-table.ts';

/** All words of the credential table. */
export const vocabulary: ReadonlySet<string> = new Set([
	...credentialTable.flatMap(({ends, directlyAfter = [], after = []}) => [...ends, ...directlyAfter, ...after].flatMap(words => words.split(' '))),
	...neutralWords,
	...questionWords,
	...otherWords,
]);

// The words that are found in names without separators. Shorter ones would be found in unrelated words (`to` + `pin` + `put`).
const joinable: ReadonlySet<string> = new Set([...vocabulary].filter(word => word.length > 2 || word === 'id' || word === 'my'));
const longestWord = Math.max(...[...joinable].map(word => word.length));

/** The maximum length of letters in which words are searched. It limits the time of the search. */
const maxRunLength = 48;

/**
Splits a name into its words, in lower case: at every character that is no ASCII letter, at camel-case boundaries, and between words of the table without separators.

Digits and single letters are left out: `X-Api-Key2` gives `api` and `key`.
*/
export function wordsOf(name: string): string[] {
	const words: string[] = [];
	// The only word with a digit is `2fa`; `base64` is left out. The pattern lists both letter cases, since U+212A matches `k` with the flag `i`.
	for (const [segment] of name.replaceAll(/2fa/giv, '-mfa-').replaceAll(/base64/giv, '-').matchAll(/[A-Za-z]+/gv)) {
		for (const hump of humpsOf(segment)) {
			words.push(...runTogether(hump));
		}
	}

	return words.filter(word => word.length > 1);
}

/** Splits a segment at camel-case boundaries. */
function humpsOf(segment: string): string[] {
	const lower = segment.toLowerCase();
	if (lower === segment || segment === segment.toUpperCase() || vocabulary.has(lower)) {
		return [lower];
	}

	const humps = segment.match(/[A-Z]+[a-z]*|[a-z]+/gv)!.flatMap(hump => splitAcronym(hump));
	return humps.some(hump => hump.length === 1) ? joinLetters(humps) : humps;
}

/** Splits `APIKey` and `APIkey` into `api` and `key`; `IDs` is one word. */
function splitAcronym(hump: string): string[] {
	const lower = hump.toLowerCase();
	const capitals = hump.search(/[a-z]|$/v);
	const tail = hump.slice(capitals);
	if (tail === '' || tail === 's' || capitals < 2) {
		return [lower];
	}

	const start = vocabulary.has(tail) && !vocabulary.has(lower.slice(capitals - 1)) ? capitals : capitals - 1;
	return [lower.slice(0, start), lower.slice(start)];
}

/** Joins the parts of words such as `OAuth` and `DPoP`. */
function joinLetters(humps: readonly string[]): string[] {
	const joined: string[] = [];
	for (let index = 0; index < humps.length;) {
		const count = [3, 2].find(length => {
			const parts = humps.slice(index, index + length);
			return parts.some(part => part.length === 1) && vocabulary.has(parts.join(''));
		}) ?? 1;
		joined.push(humps.slice(index, index + count).join(''));
		index += count;
	}

	return joined;
}

/** Splits letters without separators into known words; returns the run itself if that is not possible. */
function runTogether(run: string): readonly string[] {
	return vocabulary.has(run) ? [run] : fewestWords(run) ?? (run.startsWith('x') ? fewestWords(run.slice(1)) : undefined) ?? splitStrong(run);
}

/** Splits all of a run into known words, as few as possible. */
function fewestWords(run: string): string[] | undefined {
	if (run.length > maxRunLength) {
		return undefined;
	}

	const splits: Array<string[] | undefined> = [[]];
	for (let start = 0; start < run.length; start++) {
		const before = splits[start];
		if (before === undefined) {
			continue;
		}

		for (let end = Math.min(start + longestWord, run.length); end > start + 1; end--) {
			const word = run.slice(start, end);
			if ((splits[end]?.length ?? Infinity) > before.length + 1 && joinable.has(word)) {
				splits[end] = [...before, word];
			}
		}
	}

	return splits[run.length];
}

/** Splits a run that contains a word such as `password` beside unknown ones. */
function splitStrong(run: string): readonly string[] {
	const ending = strongEndings.find(word => run.endsWith(word));
	if (ending !== undefined) {
		return [run.slice(0, -ending.length), ...splitKnown(ending)];
	}

	const middle = strongMiddles.find(word => run.includes(word));
	if (middle === undefined) {
		return [run];
	}

	const [before, after] = run.split(middle, 2);
	return [before!, ...splitKnown(middle), after!];
}

const splitKnown = (word: string): readonly string[] => vocabulary.has(word) ? [word] : fewestWords(word)!;

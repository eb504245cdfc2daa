import {
	credentialTable,
	neutralWords,
	questionWords,
	otherWords,
	strongEndings,
	strongMiddles,
} from './credential-table.ts';

/** The words of the credential table. A name of several of them that have three letters or more, or are `id` or `my`, may be written without separators. */
export const vocabulary: ReadonlySet<string> = new Set([
	...credentialTable.flatMap(({ends, directlyAfter = [], after = []}) => [...ends, ...directlyAfter, ...after].flatMap(words => words.split(' '))),
	...neutralWords,
	...questionWords,
	...otherWords,
]);

// Shorter ones are found in words that have nothing to do with them (`to` + `pin` + `put`).
const joinable: ReadonlySet<string> = new Set([...vocabulary].filter(word => word.length > 2 || word === 'id' || word === 'my'));
const longestWord = Math.max(...[...joinable].map(word => word.length));

/** A run of letters that is longer is no run of words. It bounds the time that the search for them takes. */
const longestRun = 48;

/**
The words of a name, in lower case: split at everything that is no ASCII letter, at camel-case boundaries, and where words of the table are run together.

Digits and single letters are left out: `X-Api-Key2` is `api key`.
*/
export function wordsOf(name: string): string[] {
	const words: string[] = [];
	// One word begins with a digit, and `base64` is no word. Without a flag for letter case, since by that U+212A is a `k`.
	for (const [segment] of name.replaceAll(/2fa/giv, '-mfa-').replaceAll(/base64/giv, '-').matchAll(/[A-Za-z]+/gv)) {
		for (const hump of humpsOf(segment)) {
			words.push(...runTogether(hump));
		}
	}

	return words.filter(word => word.length > 1);
}

/** The words of camel case, in lower case. */
function humpsOf(segment: string): string[] {
	const lower = segment.toLowerCase();
	if (lower === segment || segment === segment.toUpperCase() || vocabulary.has(lower)) {
		return [lower];
	}

	const humps = segment.match(/[A-Z]+[a-z]*|[a-z]+/gv)!.flatMap(hump => splitAcronym(hump));
	return humps.some(hump => hump.length === 1) ? joinLetters(humps) : humps;
}

/** `APIKey` is `api` and `key`, and so is `APIkey`; `IDs` is one word. */
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

/** `OAuth` and `DPoP` are one word each. */
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

/** The words that a run of letters consists of; the run itself where they are not known. */
function runTogether(run: string): readonly string[] {
	return vocabulary.has(run) ? [run] : fewestWords(run) ?? (run.startsWith('x') ? fewestWords(run.slice(1)) : undefined) ?? splitStrong(run);
}

/** All of the run in known words, as few as possible. */
function fewestWords(run: string): string[] | undefined {
	if (run.length > longestRun) {
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

/** What is known of a run with unknown words in it. */
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

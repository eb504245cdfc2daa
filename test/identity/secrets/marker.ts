import {Buffer} from 'node:buffer';
import {hash} from 'node:crypto';

/** The stem with which every marker begins, and that nothing else contains. */
const stem = 'qzMARKqz';

/** A credential that no other place has. */
export function markerOf(index: number): string {
	return `${stem}${index}`;
}

const codes = [...stem].map(letter => letter.codePointAt(0)!);
const hex = codes.map(code => code.toString(16));

/** The forms of a marker, in lower case, since hosts and escapes change the letter case. */
const folded: ReadonlyArray<readonly [form: string, text: string]> = [
	['as it is', stem],
	['percent-encoded', hex.map(code => `%${code}`).join('')],
	['percent-encoded twice', hex.map(code => `%25${code}`).join('')],
	['escaped as in JSON', hex.map(code => String.raw`\u00${code}`).join('')],
	['hex', hex.join('')],
	['hex with spaces', hex.join(' ')],
	['UTF-16', hex.map(code => `${String.fromCodePoint(Number.parseInt(code, 16))}\0`).join('')],
	['hex of UTF-16', hex.join('00')],
	['numbers', codes.join(',')],
].map(([form, text]) => [form!, text!.toLowerCase()] as const);

/** The stem in base64 at each offset: the characters that do not depend on the surrounding text. */
const base64: ReadonlyArray<readonly [form: string, text: string]> = [0, 1, 2].flatMap(offset => {
	const once = ofBase64(stem, offset);
	return [['base64', once] as const, ...[0, 1, 2].map(again => ['base64 of base64', ofBase64(once, again)] as const)];
});

function ofBase64(text: string, offset: number): string {
	const encoded = Buffer.from(' '.repeat(offset) + text).toString('base64');
	const start = Math.ceil(offset * 8 / 6);
	return encoded.slice(start, Math.floor((offset + text.length) * 8 / 6));
}

/** Finds markers in the output of the library: each marker once in each form, with its surrounding text. */
export function findMarkers(text: string): string[] {
	const lower = text.toLowerCase();
	const found = [
		...folded.flatMap(([form, looked]) => placesOf(lower, looked).map(place => [form, place] as const)),
		...base64.flatMap(([form, looked]) => placesOf(text, looked).map(place => [form, place] as const)),
	];
	const first = new Map(found.toReversed().map(([form, place]) => [`${form} ${/^\d*/v.exec(text.slice(place + stem.length))![0]}`, `${form}: ${around(text, place)}`]));
	return first.values().toArray();
}

/** Which of these secrets could be guessed from a digest that is not keyed. */
export function findDigests(text: string, secrets: readonly string[]): string[] {
	return secrets.filter(secret => (['hex', 'base64'] as const).some(encoding => text.includes(hash('sha256', secret, encoding))));
}

/** Whether a text is there, in whatever form a serializer gives it. */
export function holds(text: string, words: string): boolean {
	return [words, ...[0, 1, 2].map(offset => ofBase64(words, offset))].some(form => text.includes(form));
}

function placesOf(text: string, looked: string): number[] {
	const places: number[] = [];
	for (let place = text.indexOf(looked); place !== -1 && places.length < 1000; place = text.indexOf(looked, place + 1)) {
		places.push(place);
	}

	return places;
}

function around(text: string, place: number): string {
	return JSON.stringify(text.slice(Math.max(place - 60, 0), place + 40));
}

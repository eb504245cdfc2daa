/**
Characters that do not show as themselves: controls, among them those that begin the escape sequences of terminals, and those that change the direction of text. URLs, headers and bodies in a store are whatever an origin has sent.
*/
const unsafe = /[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}]/gv;
const unsafeInText = /[[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}]--[\t\n]]/gv;

/** Returns a text for one line of a terminal, with escapes such as `\x1b` in place of what does not show. */
export function printableLine(text: string): string {
	return text.replaceAll(unsafe, character => escaped(character));
}

/** Returns the lines of a message as one line. */
export function oneLine(text: string): string {
	return text.split('\n').map(line => line.trim()).join(' ').trim();
}

/** Returns a text of several lines for a terminal. */
export function printableText(text: string): string {
	return text.replaceAll('\r\n', '\n').replaceAll(unsafeInText, character => escaped(character));
}

/** Returns a value as JSON that no terminal takes for commands, and that means the same. */
export function printableJson(value: unknown): string {
	return JSON.stringify(value, undefined, '\t').replaceAll(unsafeInText, character => character.split('').map(unit => String.raw`\u${hex(unit.charCodeAt(0), 4)}`).join('')); // eslint-disable-line unicorn/prefer-code-point -- JSON escapes UTF-16 code units.
}

function escaped(character: string): string {
	const code = character.codePointAt(0)!;
	return code < 0x1_00 ? String.raw`\x${hex(code, 2)}` : String.raw`\u{${hex(code, 4)}}`;
}

function hex(code: number, digits: number): string {
	return code.toString(16).padStart(digits, '0');
}

/** Returns a number of things in words. */
export function counted(count: number, one: string, several: string): string {
	return `${count} ${count === 1 ? one : several}`;
}

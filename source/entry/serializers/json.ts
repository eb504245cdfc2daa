import type {EntryDocument, Stage} from './stage.ts';
import {maxParts, PartCounter} from './parts.ts';

/** JSON, indented by tabs. */
export const json: Stage<'json', 'text'> = {
	name: 'json',
	takes: 'json',
	gives: 'text',
	dumps: document => JSON.stringify(document, undefined, '\t'),
	loads: text => parseBounded(text) as EntryDocument,
};

/**
The value of JSON text that is made of no more parts than an entry may be, which is known before they are made.

@throws {UnreadableError} `too-large` where they are more, or nested too deep.
@throws {SyntaxError} For what is no JSON.
*/
export function parseBounded(text: string): unknown {
	// What is shorter has fewer.
	if (text.length > maxParts) {
		checkParts(text);
	}

	return JSON.parse(text) as unknown;
}

function checkParts(text: string): void {
	const parts = new PartCounter();
	for (let index = 0; index < text.length; index++) {
		if (text[index] === '"') {
			index = endOfString(text, index);
		} else {
			count(parts, text[index]!);
		}
	}
}

function count(parts: PartCounter, character: string): void {
	switch (character) {
		case ',': {
			parts.add(1);
			break;
		}

		case '[':
		case '{': {
			parts.open();
			break;
		}

		case ']':
		case '}': {
			parts.close();
			break;
		}

		default:
	}
}

/** Where the quote is that closes the string. */
function endOfString(text: string, start: number): number {
	let end = text.indexOf('"', start + 1);
	while (end !== -1 && isEscaped(text, end)) {
		end = text.indexOf('"', end + 1);
	}

	return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
	let start = index;
	while (text[start - 1] === '\\') {
		start--;
	}

	return (index - start) % 2 === 1;
}

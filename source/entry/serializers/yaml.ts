import {createRequire} from 'node:module';
import type * as Yaml from 'yaml';
import {asText} from './content.ts';
import {optionalPackage} from './optional-package.ts';
import {isReadableAgain, maxDepth} from './parts.ts';
import type {EntryDocument, Stage} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

const require = createRequire(import.meta.url);

/**
The most values of an entry that is written as YAML: the package takes some 10 µs to read each of them. A JSON body of more is written as text.
*/
const maxYamlParts = 10_000;

// So many of the lexer's tokens no value has that the package writes: with white space and line ends, a name in its long form takes eleven.
const maxTokens = 12 * maxYamlParts;

const writing = {aliasDuplicateObjects: false, lineWidth: 0, schema: 'core'} as const;

const reading = {
	merge: false, schema: 'core', logLevel: 'silent', uniqueKeys: false, prettyErrors: false,
} as const;

/**
YAML 1.2, by the package `yaml`.

@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE` where it is not installed.
*/
export function yaml(): Stage<'json', 'text'> {
	const library = optionalPackage('yaml', 'yaml', () => require('yaml') as typeof Yaml);
	return {
		name: 'yaml',
		takes: 'json',
		gives: 'text',
		dumps: document => library.stringify(bounded(document), writing),
		loads: text => load(text, library) as EntryDocument,
	};
}

function bounded(document: EntryDocument): EntryDocument {
	if (isReadableAgain(document, maxYamlParts)) {
		return document;
	}

	const asWhole = {...document, body: asText(document.body)};
	if (!isReadableAgain(asWhole, maxYamlParts)) {
		throw new RangeError('The entry is made of more values than YAML may have');
	}

	return asWhole;
}

function load(text: string, library: typeof Yaml): unknown {
	const [document, ...others] = new library.Composer(reading).compose(tokensOf(text, library));
	if (document === undefined || others.length > 0 || document.errors.length > 0) {
		throw new UnreadableError('format');
	}

	library.visit(document, (_key, node) => {
		// Of a name that is no scalar the package makes text, which takes a time that grows with the cube of its depth. An alias in what we read is not ours, and could expand without bound.
		if (library.isAlias(node) || (library.isPair(node) && !library.isScalar(node.key))) {
			throw new UnreadableError('format');
		}
	});
	return document.toJS();
}

function * tokensOf(text: string, {Lexer, Parser}: typeof Yaml): Generator<Yaml.CST.Token, void> {
	const parser = new Parser();
	let count = 0;
	for (const token of new Lexer().lex(text)) {
		count++;
		if (count > maxTokens || parser.stack.length > maxDepth) {
			throw new UnreadableError('too-large');
		}

		// The package makes an error of each wrong escape, before any is seen.
		if (token.startsWith('"') && !areEscapesValid(token)) {
			throw new UnreadableError('format');
		}

		yield * parser.next(token);
	}

	yield * parser.end();
}

// Those that the package writes, and a line that is continued.
const shortEscapes = new Set('0abefnrtvNLP_ "/\\\t\r\n');
const hexLengths: ReadonlyMap<string, number> = new Map([['x', 2], ['u', 4]]);

function areEscapesValid(token: string): boolean {
	for (let index = token.indexOf('\\'); index !== -1; index = token.indexOf('\\', index + 2)) {
		const kind = token.charAt(index + 1);
		const length = hexLengths.get(kind);
		const isValid = length === undefined ? shortEscapes.has(kind) : isHex(token.slice(index + 2, index + 2 + length), length);
		if (!isValid) {
			return false;
		}
	}

	return true;
}

function isHex(text: string, length: number): boolean {
	return text.length === length && /^[\da-f]+$/iv.test(text);
}

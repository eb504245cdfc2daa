import type * as Yaml from 'yaml';
import {then} from '../../maybe-promise.ts';
import {optionalPackage} from '../../optional-package.ts';
import {withTextBody} from './body.ts';
import {isWithinLimits, maxDepth} from './limits.ts';
import {
	packageError,
	UnreadableError,
	type EntryDocument,
	type Stage,
} from './stage.ts';

/**
The maximum number of values in an entry: the package takes about 10 µs to read each of them. A JSON body with more is written as text.
*/
const maxYamlValues = 10_000;

// A value that the package writes takes at most eleven tokens of the lexer: a name in its long form, with white space and line ends.
const maxTokens = 12 * maxYamlValues;

const stringifyOptions = {aliasDuplicateObjects: false, lineWidth: 0, schema: 'core'} as const;

const parseOptions = {
	merge: false, schema: 'core', logLevel: 'silent', uniqueKeys: false, prettyErrors: false,
} as const;

/**
Creates the stage that serializes entries as YAML 1.2, by the package `yaml`.

@throws `MODULE_NOT_FOUND` if the package is not installed.
*/
export function yaml(): Stage<'json', 'text'> {
	const library = optionalPackage<typeof Yaml>('yaml', async () => {
		try {
			return await import('yaml');
		} catch (error) {
			throw packageError('yaml', error);
		}
	});
	return {
		name: 'yaml',
		takes: 'json',
		gives: 'text',
		dumps: document => then(library(), ({stringify}) => stringify(withinYamlLimits(document), stringifyOptions)),
		loads: text => then(library(), module => load(text, module) as EntryDocument),
	};
}

function withinYamlLimits(document: EntryDocument): EntryDocument {
	if (isWithinLimits(document, maxYamlValues)) {
		return document;
	}

	const smaller = {...document, body: withTextBody(document.body)};
	if (!isWithinLimits(smaller, maxYamlValues)) {
		throw new RangeError(`The entry has more than the ${maxYamlValues} values that can be stored as YAML.`);
	}

	return smaller;
}

function load(text: string, library: typeof Yaml): unknown {
	const [document, ...others] = new library.Composer(parseOptions).compose(tokensOf(text, library));
	if (document === undefined || others.length > 0 || document.errors.length > 0) {
		throw new UnreadableError('format');
	}

	library.visit(document, (_key, node) => {
		// The package converts a name that is not a scalar to text, which takes time cubic in its depth. An alias, which this library never writes, could expand without limit.
		if (library.isAlias(node) || (library.isPair(node) && !library.isScalar(node.key))) {
			throw new UnreadableError('format');
		}
	});
	return document.toJS();
}

// The escapes that the package writes, and a continued line.
const validEscape = /\\(?:[\t\n\r "\/0LNP\\_abefnrtv]|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4})/gv;

function * tokensOf(text: string, {Lexer, Parser}: typeof Yaml): Generator<Yaml.CST.Token, void> {
	const parser = new Parser();
	let count = 0;
	for (const token of new Lexer().lex(text)) {
		count++;
		if (count > maxTokens || parser.stack.length > maxDepth) {
			throw new UnreadableError('too-large');
		}

		// The package would create an error for each invalid escape first.
		if (token.startsWith('"') && token.replaceAll(validEscape, '').includes('\\')) {
			throw new UnreadableError('format');
		}

		yield * parser.next(token);
	}

	yield * parser.end();
}

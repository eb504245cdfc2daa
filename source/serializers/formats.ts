import {createRequire} from 'node:module';
import v8 from 'node:v8';
import type * as Bson from 'bson';
import type * as Yaml from 'yaml';
import {binary} from './binary.ts';
import {headed, payloadOf} from './head.ts';
import {optionalPackage} from './optional-package.ts';
import {checkPlain} from './plain.ts';
import type {EntryDocument, Stage} from './stage.ts';

/**
- `'binary'`: the library's own, compact and the fastest. The default of stores that hold bytes.
- `'v8'`: a structured clone, by Node.js. The counterpart of Python's pickle, but it holds data only.
- `'json'`: JSON, indented by tabs.
- `'yaml'`: YAML 1.2, by the package `yaml`.
- `'bson'`: BSON, by the package `bson`.
- `'document'`: the data itself, for stores that hold documents or objects.
*/
export type FormatName = 'binary' | 'v8' | 'json' | 'yaml' | 'bson' | 'document';

const require = createRequire(import.meta.url);

// The types of the stages say what `loads` should give; what it does give is checked when the entry is made of it.
const documentOf = (value: unknown): EntryDocument => value as EntryDocument;

const v8Format: Stage<'document', 'bytes'> = {
	name: 'v8',
	takes: 'document',
	gives: 'bytes',

	dumps(document) {
		const clone = v8.serialize(document);
		const {bytes, start} = headed('8', clone.length);
		bytes.set(clone, start);
		return bytes;
	},

	loads(bytes) {
		const value: unknown = v8.deserialize(payloadOf('8', bytes));
		checkPlain(value, bytes.byteLength);
		return documentOf(value);
	},
};

const json: Stage<'json', 'text'> = {
	name: 'json',
	takes: 'json',
	gives: 'text',
	dumps: document => JSON.stringify(document, undefined, '\t'),
	loads: text => documentOf(JSON.parse(text)),
};

const documentFormat: Stage<'document', 'document'> = {
	name: 'document',
	takes: 'document',
	gives: 'document',
	dumps: value => value,
	loads: value => value,
};

function yaml(): Stage<'json', 'text'> {
	const {parse, stringify} = optionalPackage('yaml', 'yaml', () => require('yaml') as typeof Yaml);
	return {
		name: 'yaml',
		takes: 'json',
		gives: 'text',
		dumps: document => stringify(document, {aliasDuplicateObjects: false, lineWidth: 0, schema: 'core'}),
		// An alias in what we read is not ours, and could expand without bound.
		loads: text => documentOf(parse(text, {
			maxAliasCount: 0, merge: false, schema: 'core', logLevel: 'silent', uniqueKeys: false, prettyErrors: false,
		})),
	};
}

// Up to that, the package's own buffer of 17 MB holds whatever JSON may become.
const certainlySmall = 1024 * 1024;

function bson(): Stage<'document', 'bytes'> {
	const {serialize, deserialize, calculateObjectSize, setInternalBufferSize} = optionalPackage('bson', 'bson', () => require('bson') as typeof Bson);
	return {
		name: 'bson',
		takes: 'document',
		gives: 'bytes',

		dumps(document) {
			if (document.byteLength > certainlySmall) {
				setInternalBufferSize(calculateObjectSize(document));
			}

			return serialize(document);
		},

		loads(bytes) {
			const value: unknown = deserialize(bytes, {promoteBuffers: true});
			checkPlain(value, bytes.byteLength);
			return documentOf(value);
		},
	};
}

const formats: Readonly<Record<FormatName, () => Stage>> = {
	binary: () => binary,
	v8: () => v8Format,
	json: () => json,
	yaml,
	bson,
	document: () => documentFormat,
};

export const formatNames: readonly FormatName[] = Object.keys(formats) as FormatName[];

/**
The stage of a format.

@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE` where its package is not installed.
*/
export function formatStage(name: FormatName): Stage {
	return formats[name]();
}

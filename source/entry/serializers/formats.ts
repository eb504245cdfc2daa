import {binary} from './binary.ts';
import {bson} from './bson.ts';
import {clone} from './clone.ts';
import {json} from './json.ts';
import type {Stage} from './stage.ts';
import {yaml} from './yaml.ts';

/**
- `'binary'`: the library's own, compact and the fastest. The default of stores that hold bytes.
- `'v8'`: a structured clone, by Node.js. The counterpart of Python's pickle, but it holds data only.
- `'json'`: JSON, indented by tabs.
- `'yaml'`: YAML 1.2, by the package `yaml`.
- `'bson'`: BSON, by the package `bson`.
- `'document'`: the data itself, for stores that hold documents or objects.
*/
export type FormatName = 'binary' | 'v8' | 'json' | 'yaml' | 'bson' | 'document';

const documentFormat: Stage<'document', 'document'> = {
	name: 'document',
	takes: 'document',
	gives: 'document',
	dumps: value => value,
	loads: value => value,
};

const formats: Readonly<Record<FormatName, () => Stage>> = {
	binary: () => binary,
	v8: () => clone,
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

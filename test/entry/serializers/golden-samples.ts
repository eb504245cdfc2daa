/**
Entries as each version wrote them are in `golden/`. If you change a format, add files with `node test/entry/serializers/golden-samples.ts`. Never change a file that exists.
*/
import {Buffer} from 'node:buffer';
import fs from 'node:fs/promises';
import path from 'node:path';
import {formatNames} from '../../../source/entry/serializers/formats.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import type {StoredMetadata, StoredResponse} from '../../../source/entry/stored-response.ts';
import {context, response, stages} from './samples.ts';

export const folder: string = path.join(import.meta.dirname, 'golden');

/* eslint-disable @typescript-eslint/consistent-type-assertions -- Former versions had other types. */
const metadata: Partial<StoredMetadata> = {
	statusMessage: 'Tr\u{E8}s bien',
	expires: 1_767_225_660_000,
	retainUntil: 1_767_229_260_000.5,
	codings: ['gzip'],
	decidedBy: 'origin',
	vary: {names: ['accept'], digest: 'digest', others: ['other']} as never,
	// The first version had another name for the hashed parts.
	request: {
		method: 'POST', url: 'https://example.com/users/1', rawHeaders: ['Accept', '*/*'], body: '{"a":1}', partition: {sealed: [['name', 'value']], digest: 'digest'} as never,
	},
	primary: 'http_cache:1:primary',
	tags: ['users'],
};
/* eslint-enable @typescript-eslint/consistent-type-assertions */

/** The entries in the files, by the first part of the file name. */
export const samples: Readonly<Record<string, StoredResponse>> = {
	json: response('{\n  "name": "Ad\u{E8}le",\n  "list": [\n    1.5,\n    null,\n    true\n  ]\n}\n', metadata),
	text: response(Buffer.from('d\u{E9}j\u{E0} vu\n', 'latin1'), {rawHeaders: ['content-type', 'text/plain; charset=iso-8859-1', 'Link', '<a>', 'link', '<b>']}),
	bytes: response(Uint8Array.from({length: 256}, (_, byte) => byte), {rawHeaders: ['Content-Type', 'image/png']}),
};

/** The pipelines that wrote the files, by the second part of the file name. */
export const pipelines: Readonly<Record<string, SerializerPipeline>> = Object.fromEntries([
	...formatNames.map(name => [name, new SerializerPipeline([name], {decodeContent: true})] as const),
	...Object.entries(stages).slice(1).map(([name, following]) => [name, new SerializerPipeline(following)] as const),
]);

async function write(sample: string, name: string): Promise<void> {
	const version = 1;
	const file = path.join(folder, `${sample}.${name}.${version}`);
	const serialized = await pipelines[name]!.dumps(samples[sample]!, context);
	const content = typeof serialized === 'string' || serialized instanceof Uint8Array ? serialized : JSON.stringify(serialized);
	try {
		await fs.writeFile(file, content, {flag: 'wx'});
	} catch (error) {
		if ((error as {code?: unknown}).code !== 'EEXIST') {
			throw error;
		}
	}
}

if (import.meta.main) {
	for (const sample of Object.keys(samples)) {
		// A document with bytes cannot be a JSON file.
		const names = Object.keys(pipelines).filter(name => name !== 'document' || sample !== 'bytes');
		for (const name of names) {
			await write(sample, name);
		}
	}
}

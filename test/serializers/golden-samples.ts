/**
Entries as they were written at each version, in `golden/`. Whoever changes a format adds files, by `node test/serializers/golden-samples.ts`, and never changes one: what is there is left as it is.
*/
import {Buffer} from 'node:buffer';
import fs from 'node:fs/promises';
import path from 'node:path';
import {formatNames} from '../../source/serializers/formats.ts';
import {SerializerPipeline} from '../../source/serializers/pipeline.ts';
import type {StoredMetadata, StoredResponse} from '../../source/model/stored-response.ts';
import {context, response, stages} from './samples.ts';

export const folder: string = path.join(import.meta.dirname, 'golden');

const metadata: Partial<StoredMetadata> = {
	statusMessage: 'Tr\u00E8s bien',
	expires: 1_767_225_660_000,
	retainUntil: 1_767_229_260_000.5,
	codings: ['gzip'],
	decidedBy: 'origin',
	vary: {names: ['accept'], digest: 'digest', others: ['other']},
	request: {
		method: 'GET', rawHeaders: ['Accept', '*/*'], body: 'AA==', bodyEncoding: 'base64', partition: {sealed: [['name', 'value']], digest: 'digest'},
	},
	primary: 'http_cache:1:primary',
	tags: ['users'],
};

/** What each file must give, by what its name begins with. */
export const samples: Readonly<Record<string, StoredResponse>> = {
	json: response('{\n  "name": "Ad\u00E8le",\n  "list": [\n    1.5,\n    null,\n    true\n  ]\n}\n', metadata),
	text: response(Buffer.from('d\u00E9j\u00E0 vu\n', 'latin1'), {rawHeaders: ['content-type', 'text/plain; charset=iso-8859-1', 'Link', '<a>', 'link', '<b>']}),
	bytes: response(Uint8Array.from({length: 256}, (_, byte) => byte), {rawHeaders: ['Content-Type', 'image/png']}),
};

/** By what a file's name goes on with. */
export const pipelines: Readonly<Record<string, SerializerPipeline>> = Object.fromEntries([
	...formatNames.map(name => [name, new SerializerPipeline([name], {decodeContent: true})] as const),
	...Object.entries(stages).slice(1).map(([name, following]) => [name, new SerializerPipeline(following)] as const),
]);

const version = 1;

if (import.meta.main) {
	await fs.mkdir(folder, {recursive: true});
	for (const [sample, stored] of Object.entries(samples)) {
		for (const [name, pipeline] of Object.entries(pipelines)) {
			// A document of bytes is no JSON; that of bytes in other formats is seen there.
			if (name === 'document' && sample === 'bytes') {
				continue;
			}

			const serialized = await pipeline.dumps(stored, context);
			const content = typeof serialized === 'string' || serialized instanceof Uint8Array ? serialized : JSON.stringify(serialized);
			await fs.writeFile(path.join(folder, `${sample}.${name}.${version}`), content, {flag: 'wx'}).catch((error: unknown) => {
				if ((error as {code?: unknown}).code !== 'EEXIST') {
					throw error;
				}
			});
		}
	}
}

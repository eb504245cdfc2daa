import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {folder, pipelines, samples} from './golden-samples.ts';
import {context, facts} from './samples.ts';

const files = await fs.readdir(folder);

for (const file of files) {
	test(`${file} stays readable`, async t => {
		const [sample, name] = file.split('.') as [string, string];
		const pipeline = pipelines[name]!;
		const content = await fs.readFile(path.join(folder, file));
		const serialized: unknown = pipeline.gives === 'document' ? JSON.parse(content.toString()) : content;
		t.deepEqual(facts(await pipeline.loads(serialized, context)), facts(samples[sample]!));
	});
}

test('there is a golden file for each format and stage', t => {
	const expected = Object.keys(samples).flatMap(sample => Object.keys(pipelines).map(name => `${sample}.${name}.1`));
	t.deepEqual(expected.filter(file => !files.includes(file)), ['bytes.document.1']);
	t.is(new Set(files.map(file => file.split('.', 2)[1])).size, Object.keys(pipelines).length);
});

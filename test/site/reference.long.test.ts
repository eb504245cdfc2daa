import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {createFolder} from '../examples/run-node.ts';
import {execute} from '../runners/installation.ts';
import {docs, docsProgram, hasDocsTools} from './docs-folder.ts';

async function pagesOf(folder: string): Promise<Record<string, string>> {
	const names = await fs.readdir(folder, {recursive: true});
	const pages = names.filter(name => name.endsWith('.md')).toSorted().map(async name => [name, await fs.readFile(path.join(folder, name), 'utf8')] as const);
	return Object.fromEntries(await Promise.all(pages));
}

if (hasDocsTools(test)) {
	test('docs/api is what the doc comments give: `npm run docs:api` writes it', async t => {
		const folder = await createFolder(t);
		await execute(process.execPath, [docsProgram('typedoc/bin/typedoc'), '--out', folder], {cwd: docs, timeout: 120_000});
		const [committed, made] = await Promise.all([pagesOf(path.join(docs, 'api')), pagesOf(folder)]);
		t.deepEqual(Object.keys(committed), Object.keys(made));
		t.deepEqual(Object.keys(made).filter(name => committed[name] !== made[name]), []);
	});

	test('docs/api names no folder of the machine, no date and no commit, and each page of a public name has an example', async t => {
		const pages = Object.entries(await pagesOf(path.join(docs, 'api')));
		t.true(pages.length > 100);
		t.deepEqual(pages.filter(([, text]) => text.includes(path.dirname(docs)) || /\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.(?!000)|\b[\da-f]{40}\b/v.test(text)).map(([name]) => name), []);
		t.deepEqual(pages.filter(([name, text]) => !/not-exported|README/v.test(name) && !/^#+ Example/mv.test(text)).map(([name]) => name), []);
	});
}

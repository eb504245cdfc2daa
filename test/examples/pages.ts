import {readFileSync} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type {TestFn} from 'ava';
import ts from 'typescript';
import {Origin} from '../helpers/origin.ts';
import {createFolder, runNode} from './run-node.ts';

export const root: string = path.resolve(import.meta.dirname, '../..');

/** At once: AVA wants all tests declared at once. */
export function readPage(file: string): string {
	return readFileSync(path.join(root, file), 'utf8');
}

/** Gives the samples, which lie elsewhere, this package and what it has installed. */
const loader = `
	import {registerHooks} from 'node:module';

	registerHooks({
		resolve(specifier, context, nextResolve) {
			const own = ${JSON.stringify(new URL('../../source/index.ts', import.meta.url).href)};
			return specifier === 'got-cache-hooks'
				? {url: own, shortCircuit: true}
				: nextResolve(specifier, context.parentURL?.includes('/sample.ts') ? {...context, parentURL: own} : context);
		},
	});
`;

const register = new URL('../../source/register.ts', import.meta.url).href;
const host = 'https://api.example.com';

type Variant = readonly [name: string, compile: (code: string) => string];

/** Node.js strips types and knows no decorators: samples that have them are compiled, in each dialect. */
function variants(code: string): readonly Variant[] {
	return /^\t*@/mv.test(code)
		? [true, false].map((experimentalDecorators): Variant => [
			experimentalDecorators ? ' with experimentalDecorators' : ' with standard decorators',
			text => ts.transpileModule(text, {compilerOptions: {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, experimentalDecorators}}).outputText,
		])
		: [['', text => text]];
}

/** The output that the page shows for the sample. */
function promised(code: string): string {
	return code.matchAll(/^\t*\/\/=> (?<line>.*\n)/gmv).map(match => match.groups!.line!).toArray().join('');
}

/** Removes the warning of a store that fails. Some samples show that on purpose, without a listener. */
function withoutStoreFaults(stderr: string): string {
	return stderr.replace(/^\(node:\d+\) \[GOT_CACHE_STORE_ERROR\] [^\n]*\n\(Use [^\n]*\n/v, '');
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		// Samples whose clock stands would take a date for an age.
		response.sendDate = false;
		response.setHeader('etag', '"1"');
		if (request.url === '/news') {
			response.setHeader('cache-control', 'max-age=60');
		}

		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
		response.end(response.statusCode === 304 ? undefined : JSON.stringify({name: 'Ada'}));
	});
}

/** Declares a test for each sample of a page: it runs as it is and prints what it says. */
export function testSamples(test: TestFn, file: string): void {
	const samples = readPage(file).matchAll(/^```ts\n(?<code>.*?)^```$/gmsv).map(match => match.groups!.code!).toArray();
	for (const [index, sample] of samples.entries()) {
		for (const [variant, compile] of variants(sample)) {
			test(`sample ${index + 1} of ${file} prints the output that the page shows${variant}`, async t => {
				await using origin = await startOrigin();
				const folder = await createFolder(t);
				await fs.writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
				await fs.writeFile(path.join(folder, 'loader.js'), loader);
				await fs.writeFile(path.join(folder, 'sample.ts'), compile(sample.split(host).join(origin.url)));

				const flags = sample.includes('installCache(') ? ['--import', register] : [];
				const {stdout, stderr} = await runNode(['--import', './loader.js', ...flags, 'sample.ts'], folder);
				t.is(withoutStoreFaults(stderr), '');
				t.is(stdout.split(origin.url).join(host), promised(sample));
			});
		}
	}
}

/** The rows of the table with a header, cell by cell. */
export function tableRows(page: string, header: string): string[][] {
	const start = page.indexOf(`\n${header}\n`);
	if (start === -1) {
		throw new Error(`There is no table \`${header}\``);
	}

	const lines = page.slice(start + 1).split('\n');
	const end = lines.findIndex(line => !line.startsWith('|'));
	return lines.slice(2, end).map(line => line.split(/(?<!\\)\|/v).slice(1, -1).map(cell => cell.trim()));
}

export function codeSpans(text: string): string[] {
	return text.matchAll(/`(?<code>[^`]+)`/gv).map(({groups}) => groups!.code!).toArray();
}

/** A link, as its page has it. */
export type Link = {readonly text: string; readonly target: string};

/** The links of a page, without those in samples. */
export function linksOf(page: string): readonly Link[] {
	const prose = page.replaceAll(/^```.+?^```$/gmsv, '');
	return prose.matchAll(/\[(?<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?<target>[^\s\(\)]+)\)/gv).map(({groups}) => ({text: groups!.text!, target: groups!.target!})).toArray();
}

/** The fragments by which GitHub links to the headings of a page. */
export function headingsOf(page: string): ReadonlySet<string> {
	const prose = page.replaceAll(/^```.+?^```$/gmsv, '');
	const slugs = prose.matchAll(/^#+ (?<heading>.+)$/gmv).map(({groups}) => groups!.heading!.toLowerCase().replaceAll(/[^\p{Letter}\p{Number} \-_]/gv, '').replaceAll(' ', '-'));
	return new Set(slugs);
}

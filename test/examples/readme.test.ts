import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import ts from 'typescript';
import {requestSettingNames} from '../../source/settings.ts';
import {Origin} from '../helpers/origin.ts';
import {createFolder, runNode} from './run-node.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = async (file: string): Promise<string> => fs.readFile(path.join(root, file), 'utf8');
const readme = await read('readme.md');
const settingsTypes = await read('source/settings-types.ts');
const reasonTypes = await read('source/policy/reasons.ts');
const samples = readme.matchAll(/^```ts\n(?<code>.*?)^```$/gmsv).map(match => match.groups!.code!).toArray();

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

/** What the sample says that it prints. */
function promised(code: string): string {
	return code.matchAll(/^\t*\/\/=> (?<line>.*\n)/gmv).map(match => match.groups!.line!).toArray().join('');
}

const host = 'https://api.example.com';

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

for (const [index, name, code, compile] of samples.flatMap((sample, number) => variants(sample).map(([variant, transpile]) => [number, variant, sample, transpile] as const))) {
	test(`sample ${index + 1} of the readme prints what it says${name}`, async t => {
		await using origin = await startOrigin();
		const folder = await createFolder(t);
		await fs.writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
		await fs.writeFile(path.join(folder, 'loader.js'), loader);
		await fs.writeFile(path.join(folder, 'sample.ts'), compile(code.split(host).join(origin.url)));

		const flags = code.includes('installCache(') ? ['--import', register] : [];
		const {stdout, stderr} = await runNode(['--import', './loader.js', ...flags, 'sample.ts'], folder);
		t.is(stderr, '');
		t.is(stdout.split(origin.url).join(host), promised(code));
	});
}

/** The rows of a table, cell by cell. */
function tableRows(header: string): string[][] {
	const lines = readme.slice(readme.indexOf(`\n${header}\n`) + 1).split('\n');
	const end = lines.findIndex(line => !line.startsWith('|'));
	return lines.slice(2, end).map(line => line.split(/(?<!\\)\|/v).slice(1, -1).map(cell => cell.trim()));
}

function codeSpans(text: string): string[] {
	return text.matchAll(/`(?<code>[^`]+)`/gv).map(({groups}) => groups!.code!).toArray();
}

/** What the first column names. */
function names(header: string): string[] {
	return tableRows(header).flatMap(([name]) => codeSpans(name!));
}

test('the table of settings has each setting of a client, with its default', t => {
	const stated = settingsTypes
		.matchAll(/@default (?<stated>.+)\n(?:(?!\*\/)[\s\S])*\*\/\n\treadonly (?<key>\w+)\?:/gv)
		.map(({groups}) => [groups!.key!, groups!.stated!] as const)
		.toArray();
	// The request's own come last.
	const ofClient = stated.slice(0, stated.findIndex(([key]) => key === 'refresh'));
	const listed = tableRows('| setting | default | what it does |')
		.map(([name, value]) => [codeSpans(name!)[0]!, value === 'none' ? 'undefined' : codeSpans(value!)[0]!] as const);

	// Those that the doc comments state are compared with the real ones in `test/settings.test.ts`.
	t.true(ofClient.length > 20);
	t.deepEqual(Object.fromEntries(listed), Object.fromEntries(ofClient));
	t.is(listed.length, ofClient.length);
});

test('the settings of a request are all named', t => {
	const chapter = readme.slice(readme.indexOf('\n### Settings of a request\n'));
	const [shared] = /There are .*and three that only a request has/v.exec(chapter)!;
	t.deepEqual([...codeSpans(shared), ...names('| setting | what it does |')].toSorted(), requestSettingNames.toSorted());
});

test('the tables of reasons have each reason', t => {
	const types = reasonTypes.matchAll(/export type (?<name>\w+Reason) =\n(?<lines>(?:\t\|.+\n)+)/gv);
	const reasons = new Map(types.map(({groups}) => [groups!.name!, groups!.lines!.split(/[^\w\-]+/v).filter(Boolean)]));
	t.deepEqual(names('| where the answer comes from | |').toSorted(), reasons.get('ReadReason')!.toSorted());
	t.deepEqual(names('| the cache stood aside | |').toSorted(), reasons.get('PassReason')!.toSorted());

	// Some have a meaning of their own there.
	const written = [...reasons.get('WriteReason')!, 'do-not-cache', 'filtered', 'method'];
	t.deepEqual(names('| what became of the origin\'s response (`stored`) | |').toSorted(), written.toSorted());
});

test('the table of the house is the linter\'s, and that of the tree', async t => {
	const header = '| folder (`source/…`) | what lives there | imports |';
	const entries = await fs.readdir(path.join(root, 'source'), {withFileTypes: true});
	t.deepEqual(names(header).toSorted(), entries.map(entry => entry.isDirectory() ? `${entry.name}/` : entry.name).toSorted());

	// By a name that the compiler does not follow: its types are the linter's own.
	const config = await import(path.join(root, 'xo.config.ts')) as {readonly house: Readonly<Record<string, {readonly source: readonly string[]}>>};
	const folders = tableRows(header).filter(([name]) => name!.endsWith('/`'));
	const imports = folders.map(([name, , imported]) => [codeSpans(name!)[0]!.slice(0, -1), imported === '–' ? [] : imported!.split(', ')] as const);
	const allowed = imports.map(([name]) => [name, config.house[name]!.source.map(target => target.replace(/\.ts$/v, ''))] as const);
	t.deepEqual(Object.fromEntries(imports), Object.fromEntries(allowed));
});

import fs from 'node:fs/promises';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import process from 'node:process';
import type {ExecutionContext, TestFn} from 'ava';
import ts from 'typescript';
import {Origin} from '../helpers/origin.ts';
import {readPage, root} from './pages.ts';
import {createFolder, runNode, runProgram} from './run-node.ts';

/** A block of code in a page. */
export type Sample = {
	readonly language: string;

	/** The file that it is, if its first line is a comment with a name: `// app.js`. A command of the page runs it, or a program that such a command runs reads it. */
	readonly file: string | undefined;
	readonly code: string;

	/** Why it is not run: `<!-- not run: … -->` before it. */
	readonly notRun: string | undefined;

	/** The block of text that follows it: what its commands print. */
	readonly output: string | undefined;
};

/** A server that a sample names by its default URL. */
export type SampleServer = {
	/** What a sample that needs it contains, and its URL replaces. */
	readonly sign: string;
	readonly start: () => Promise<AsyncDisposable & {readonly url?: string; readonly variables?: NodeJS.ProcessEnv}>;
};

/** Whether samples of this language are run, and are no commands or output. */
export const isProgram = (language: string): boolean => ['ts', 'js', 'py'].includes(language);
const host = 'https://api.example.com';
const register = new URL('../../source/register.ts', import.meta.url).href;

/** What a sample contains that needs a server: tests of these are long. */
export const signs: readonly string[] = ['redis://localhost:6379', 'mongodb://localhost:27017', '\'dynamodb\'', 'KeyvDynamoDb'];

export function samplesOf(page: string): readonly Sample[] {
	const blocks = /(?:^<!-- not run: (?<notRun>[^\n]+) -->\n)?^```(?<language>\w+)\n(?<code>(?:\/\/ (?<file>[\w\-.\/]+\.\w+)\n)?.*?)^```$(?:\n\n```text\n(?<output>.*?)^```$)?/gmsv;
	return page.matchAll(blocks).map(({groups}) => ({
		language: groups!.language!, file: groups!.file, code: groups!.code!, notRun: groups!.notRun, output: groups!.output,
	})).toArray();
}

type Variant = readonly [name: string, compile: (code: string) => string];

/** Node.js strips types and knows no decorators: samples that have them are compiled, in each dialect. */
function variants({code, language}: Sample): readonly Variant[] {
	return language === 'ts' && /^\t*@/mv.test(code)
		? [true, false].map((experimentalDecorators): Variant => [
			experimentalDecorators ? ' with experimentalDecorators' : ' with standard decorators',
			text => ts.transpileModule(text, {compilerOptions: {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, experimentalDecorators}}).outputText,
		])
		: [['', text => text]];
}

/** The output that the page shows for the sample. */
function shown({code}: Sample): string {
	return code.matchAll(/^\t*(?:\/\/|#)=> (?<line>.*\n)/gmv).map(match => match.groups!.line!).toArray().join('');
}

/** What the samples ask: `https://api.example.com`. */
async function startOrigin(): Promise<Origin> {
	const counts = new Map<string, number>();
	const fields: Readonly<Record<string, readonly [name: string, value: string]>> = {
		'/news': ['cache-control', 'max-age=60'],
		'/no-store': ['cache-control', 'no-store'],
		'/login': ['x-auth-token', 'secret'],
		'/translated': ['vary', 'accept-language'],
	};
	return Origin.start((request, response) => {
		const count = (counts.get(request.url!) ?? 0) + 1;
		counts.set(request.url!, count);

		// Samples whose clock stands would take a date for an age.
		response.sendDate = false;
		response.setHeader('etag', '"1"');
		response.setHeader('content-type', 'application/json');
		if (Object.hasOwn(fields, request.url!)) {
			response.setHeader(...fields[request.url!]!);
		}

		if (request.url === '/rate') {
			response.setHeader('x-ratelimit-remaining', String(60 - count));
		}

		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
		if (request.url === '/missing') {
			response.statusCode = 404;
		} else if (request.url === '/unstable' && count > 1) {
			response.statusCode = 503;
		}

		response.end(response.statusCode === 304 ? undefined : JSON.stringify({name: 'Ada'}));
	});
}

/** What the package exports, and the files of `source/` that it is. */
const {exports: exported} = JSON.parse(readPage('package.json')) as {exports: Record<string, string | {readonly types: string}>};
const entries = Object.entries(exported).flatMap(([name, target]) => typeof target === 'string' ? [] : [[name, target.types.replace('./dist/types/', '').replace('.d.ts', '.ts')] as const]);

/** A folder in which this package and what it has installed are found by their names. */
async function createPackageFolder(t: ExecutionContext): Promise<string> {
	const folder = await createFolder(t);
	const page = path.join(folder, 'page');
	const own = path.join(page, 'node_modules/got-cache-hooks');
	await fs.mkdir(own, {recursive: true});
	await fs.symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
	for (const [name, source] of entries) {
		await fs.writeFile(path.join(own, `${path.basename(name)}.js`), `export * from ${JSON.stringify(new URL(`../../source/${source}`, import.meta.url).href)};\n`);
	}

	const exports = Object.fromEntries(entries.map(([name]) => [name, `./${path.basename(name)}.js`]));
	await fs.writeFile(path.join(own, 'package.json'), JSON.stringify({name: 'got-cache-hooks', type: 'module', exports}));
	await fs.writeFile(path.join(page, 'package.json'), '{"type": "module"}');
	return page;
}

const python = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'].find(program => spawnSync(program, ['-c', 'import requests_cache'], {stdio: 'ignore'}).status === 0);

/** Samples leave nothing behind: temporary files lie in their folder. */
const placesIn = (folder: string): NodeJS.ProcessEnv => Object.fromEntries(['TMPDIR', 'TMP', 'TEMP', 'XDG_CACHE_HOME'].map(name => [name, folder]));

type Replacement = readonly [shown: string, real: string];

function replace(text: string, replacements: readonly Replacement[]): string {
	let replaced = text;
	for (const [from, to] of replacements) {
		replaced = replaced.split(from).join(to);
	}

	return replaced;
}

/** Whether a sample is a program of its own, and not a file that a command runs. */
const runsAlone = ({language, file, notRun}: Sample): boolean => file === undefined && notRun === undefined && isProgram(language);

async function prints(t: ExecutionContext, sample: Sample, {compile, server}: {readonly compile: (code: string) => string; readonly server: SampleServer | undefined}): Promise<void> {
	await using origin = await startOrigin();
	await using started = await server?.start();
	const replacements: Replacement[] = [[host, origin.url], ...(started?.url === undefined ? [] : [[server!.sign, started.url] as const])];
	const folder = await createPackageFolder(t);
	const name = `sample.${sample.language}`;
	await fs.writeFile(path.join(folder, name), replace(compile(sample.code), replacements));

	const flags = sample.code.includes('installCache(') ? ['--import', register] : [];
	const {stdout, stderr} = sample.language === 'py' ? await runProgram(python!, [name], folder) : await runNode([...flags, name], folder, {...placesIn(folder), ...started?.variables});
	t.is(stderr, '');
	t.is(replace(stdout, replacements.map(([from, to]) => [to, from] as const)), shown(sample));
}

/** Declares a test for each sample of a page: it runs as it is and prints what it says. Only those that need the server, or only those that need none. */
export function testSamples(test: TestFn, file: string, server?: SampleServer): void {
	const all = samplesOf(readPage(file));
	for (const [index, sample] of all.filter(sample => runsAlone(sample)).entries()) {
		const isWanted = server === undefined ? signs.every(sign => !sample.code.includes(sign)) : sample.code.includes(server.sign);
		if (!isWanted) {
			continue;
		}

		if (python === undefined && sample.language === 'py') {
			test(`sample ${index + 1} of ${file} is not run, as there is no Python with requests-cache`, t => {
				t.not(process.env.CI, 'true');
			});
			continue;
		}

		for (const [variant, compile] of variants(sample)) {
			test(`sample ${index + 1} of ${file} prints the output that the page shows${variant}`, async t => {
				await prints(t, sample, {compile, server});
			});
		}
	}

	if (server === undefined) {
		testCommands(test, file, all);
	}
}

/** Whether a command runs a file of its page. */
export function isRun({language, code, notRun}: Sample, files: ReadonlySet<string>): boolean {
	return language === 'sh' && notRun === undefined && [...files].some(name => code.includes(name));
}

/** The commands of a page that run its files, one after the other in one folder. */
function testCommands(test: TestFn, file: string, all: readonly Sample[]): void {
	const files = new Set(all.flatMap(sample => sample.file ?? []));
	if (all.every(sample => !isRun(sample, files))) {
		return;
	}

	test(`the commands of ${file} print the output that the page shows`, async t => {
		await using origin = await startOrigin();
		const folder = await createPackageFolder(t);
		for (const sample of all) {
			if (sample.file !== undefined) {
				await fs.mkdir(path.dirname(path.join(folder, sample.file)), {recursive: true});
				await fs.writeFile(path.join(folder, sample.file), replace(sample.code, [[host, origin.url]]));
			} else if (isRun(sample, files)) {
				const {stdout, stderr} = await runProgram('sh', ['-c', replace(sample.code, [[host, origin.url]])], folder, placesIn(folder));
				t.is(replace(stdout + stderr, [[origin.url, host]]), sample.output ?? '', sample.code);
			}
		}
	});
}

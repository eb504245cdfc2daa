/*
Where the library runs: a program for each runner, once as it is, and once with `got-cache-hooks/register` before it. An instance with a cache of its own is cached everywhere. With the register, a plain one is cached as well, or one warning says why it is not.

The packages are installed once, into `.ci/.cache`. A runner whose packages cannot be installed is not tested, and says so.
*/
import {execFile} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import esbuild from 'esbuild';
import {record} from '../recordings/helpers.ts';
import {writeSamples} from '../recordings/samples.ts';
import {
	environment,
	execute,
	install,
	installLibrary,
	place,
} from './installation.ts';
import {buildNext, requestNext} from './next.ts';
import {writePrograms} from './programs.ts';

type Case = {
	readonly title: string;

	/** A program of the packages of the runner, or `node`, with its arguments. */
	readonly command: readonly [program: string, ...args: readonly string[]];

	/** How the register is loaded: by an option of Node.js before the other arguments, by `NODE_OPTIONS`, or by arguments of another runtime. */
	readonly register?: 'argument' | 'NODE_OPTIONS' | readonly string[];

	/** What becomes of the plain instance with the register: it is cached, or the code of the warning. */
	readonly registered: 'cached' | 'GOT_CACHE_NOT_REACHED' | 'GOT_CACHE_NO_HOOKS';
	readonly environment?: Readonly<Record<string, string>>;

	/** The working directory, in the folder of the runner. */
	readonly folder?: string;
};

type Runner = {
	readonly packages: Readonly<Record<string, string>>;
	readonly files?: Readonly<Record<string, string>>;

	/** Makes what the cases need, once the files are written. */
	readonly prepare?: (folder: string) => Promise<void>;
	readonly cases: readonly Case[];
};

const inlined = (pattern: string) => `export default {test: {globals: true, server: {deps: {inline: [${pattern}]}}}};`;
const vitest = (...args: readonly string[]): Case['command'] => ['vitest', 'run', '--globals', ...args, 'globals.test.mjs'];

const ssr = (noExternal: string) => `
	import {createServer} from 'vite';
	const server = await createServer({configFile: false, logLevel: 'error', server: {middlewareMode: true, ws: false}, ssr: {noExternal: ${noExternal}}, optimizeDeps: {noDiscovery: true}});
	const {run} = await server.ssrLoadModule('/module.mjs');
	await run();
	await server.close();
`;

/** Makes one file of the program and its packages, in a folder that cannot be written. The superuser can write it nevertheless, but for `--permission`. */
async function bundle(folder: string): Promise<void> {
	const target = path.join(folder, 'lambda');
	await fs.rm(target, {recursive: true, force: true});
	await esbuild.build({
		entryPoints: [path.join(folder, 'program.mjs')],
		outfile: path.join(target, 'index.mjs'),
		bundle: true,
		platform: 'node',
		format: 'esm',
		logLevel: 'error',
		// What Got brings as CommonJS wants a `require`.
		banner: {js: 'import {createRequire} from \'node:module\'; const require = createRequire(import.meta.url);'},
	});
	await fs.chmod(target, 0o555);
}

const runners: Readonly<Record<string, Runner>> = {
	node: {
		packages: {},
		prepare: bundle,
		cases: [
			{title: 'Node.js, ES modules', command: ['node', 'program.mjs'], registered: 'cached'},
			{title: 'Node.js, CommonJS', command: ['node', 'program.cjs'], registered: 'cached'},
			{title: 'Node.js, TypeScript', command: ['node', 'program.mts'], registered: 'cached'},
			{title: 'Node.js, `node --test`', command: ['node', '--test', 'node.test.mjs'], registered: 'cached'},
			{title: 'Node.js, a worker thread', command: ['node', 'worker.mjs'], registered: 'cached'},
			{title: 'Node.js, a cluster', command: ['node', 'cluster.mjs'], registered: 'cached'},
			{
				title: 'A single file in a folder that cannot be written, as on AWS Lambda', command: ['node', '--permission', '--allow-fs-read=*', 'index.mjs'], folder: 'lambda', registered: 'GOT_CACHE_NOT_REACHED',
			},
			{title: 'Node.js, `--permission`', command: ['node', '--permission', '--allow-fs-read=*', 'program.mjs'], registered: 'cached'},
		],
	},
	tsx: {
		packages: {tsx: '^4.23.0'},
		cases: [
			{
				title: 'tsx, ES modules', command: ['tsx', 'program.mts'], register: 'argument', registered: 'cached',
			},
			{
				title: 'tsx, CommonJS', command: ['tsx', 'program.cts'], register: 'argument', registered: 'cached',
			},
			{title: 'tsx, by `--import`, CommonJS', command: ['node', '--import', 'tsx', 'program.cts'], registered: 'cached'},
			{title: 'tsx, by `--require`, CommonJS', command: ['node', '--require', 'tsx/cjs', 'program.cts'], registered: 'cached'},
		],
	},
	'ts-node': {
		packages: {'ts-node': '^10.9.2', typescript: '^5.9.0', '@types/node': '^22.19.0'},
		files: {
			'tsconfig.json': JSON.stringify({compilerOptions: {module: 'nodenext', target: 'es2024', esModuleInterop: true}, 'ts-node': {transpileOnly: true}}),
		},
		cases: [
			{
				title: 'ts-node, CommonJS', command: ['ts-node', 'program.cts'], register: 'NODE_OPTIONS', registered: 'cached',
			},
			{title: 'ts-node, ES modules', command: ['node', '--import', 'ts-node/esm', 'program.mts'], registered: 'cached'},
			{title: 'ts-node, ES modules, by `--loader`', command: ['node', '--loader', 'ts-node/esm', 'program.mts'], registered: 'cached'},
		],
	},
	mocha: {
		packages: {mocha: '^12.0.0', tsx: '^4.23.0'},
		cases: [
			{
				title: 'Mocha', command: ['mocha', 'globals.test.mjs'], register: 'NODE_OPTIONS', registered: 'cached',
			},
			{
				title: 'Mocha with tsx, ES modules', command: ['mocha', '--import=tsx', 'globals.test.mts'], register: 'NODE_OPTIONS', registered: 'cached',
			},
			{
				title: 'Mocha with tsx, CommonJS', command: ['mocha', '--require', 'tsx', 'globals.test.cts'], register: 'NODE_OPTIONS', registered: 'cached',
			},
		],
	},
	vitest: {
		packages: {vitest: '^5.1.0', vite: '8.3.8'},
		files: {
			'inlined.config.mjs': inlined(String.raw`/\/node_modules\/(?:got|got-cache-hooks)\//`),
			'inlined-got.config.mjs': inlined(String.raw`/\/node_modules\/got\//`),
			'ssr.mjs': ssr('[]'),
			'ssr-inlined.mjs': ssr('[\'got\', \'got-cache-hooks\']'),
		},
		cases: [
			{
				title: 'Vitest, forks', command: vitest('--pool=forks'), register: 'NODE_OPTIONS', registered: 'cached',
			},
			{
				title: 'Vitest, threads', command: vitest('--pool=threads'), register: 'NODE_OPTIONS', registered: 'cached',
			},
			{
				title: 'Vitest, VM threads', command: vitest('--pool=vmThreads'), register: 'NODE_OPTIONS', registered: 'GOT_CACHE_NOT_REACHED',
			},
			{
				title: 'Vitest, VM forks', command: vitest('--pool=vmForks'), register: 'NODE_OPTIONS', registered: 'GOT_CACHE_NOT_REACHED',
			},
			{
				title: 'Vitest, Got and the library inlined', command: vitest('--config=inlined.config.mjs'), register: 'NODE_OPTIONS', registered: 'GOT_CACHE_NOT_REACHED',
			},
			{
				title: 'Vitest, Got inlined', command: vitest('--config=inlined-got.config.mjs'), register: 'NODE_OPTIONS', registered: 'GOT_CACHE_NOT_REACHED',
			},
			{title: 'Vite SSR', command: ['node', 'ssr.mjs'], registered: 'cached'},
			{title: 'Vite SSR, Got and the library inlined', command: ['node', 'ssr-inlined.mjs'], registered: 'GOT_CACHE_NOT_REACHED'},
		],
	},
	jest: {
		packages: {jest: '^30.5.0'},
		files: {'jest.config.json': JSON.stringify({transform: {}, testMatch: ['**/globals.test.mjs'], moduleFileExtensions: ['mjs', 'js']})},
		cases: [
			{
				title: 'Jest, ES modules', command: ['jest'], register: 'NODE_OPTIONS', registered: 'GOT_CACHE_NOT_REACHED', environment: {NODE_OPTIONS: '--experimental-vm-modules'}, // eslint-disable-line @typescript-eslint/naming-convention
			},
		],
	},
	bun: {
		packages: {bun: '^1.4.0'},
		cases: [
			{
				title: 'Bun', command: ['bun', 'program.mts'], register: ['--preload', 'got-cache-hooks/register'], registered: 'GOT_CACHE_NO_HOOKS',
			},
		],
	},
	deno: {
		packages: {deno: '^2.9.0'},
		cases: [
			{
				title: 'Deno', command: ['deno', 'run', '--allow-all', 'program.mts'], register: ['--preload', 'npm:got-cache-hooks/register'], registered: 'cached',
			},
		],
	},
};

type Output = {
	readonly seen: {
		readonly results: readonly unknown[];
		readonly warnings: readonly string[];

		/** Warnings of a bundler. */
		readonly faults: readonly string[];
	};
	readonly text: string;
};

function read(text: string, faults: readonly string[] = []): Output {
	const results = text.matchAll(/RESULT (?<json>\{.*\})/gv).map(({groups}) => JSON.parse(groups!.json!) as unknown).toArray();
	const warnings = text.matchAll(/\[(?<code>GOT_CACHE_\w+)\]/gv).map(({groups}) => groups!.code!).toArray();
	return {seen: {results, warnings, faults}, text};
}

const registering = ['--import', 'got-cache-hooks/register'];

/** Runs a case with the register, or without, in its folder. */
async function run(folder: string, {command, register = 'argument', environment: own = {}, folder: working = ''}: Case, isRegistered: boolean): Promise<Output> {
	const [program, ...args] = command;
	const file = program === 'node' ? process.execPath : path.join(folder, 'node_modules/.bin', program);
	const variables: Record<string, string | undefined> = {...environment, ...own};
	let given = args;
	if (isRegistered) {
		variables.GOT_CACHE_STORE = 'memory';
		if (register === 'NODE_OPTIONS') {
			variables.NODE_OPTIONS = [own.NODE_OPTIONS, ...registering].join(' ').trim();
		} else {
			// The register stands right before the program.
			given = [...args.slice(0, -1), ...(register === 'argument' ? registering : register), ...args.slice(-1)];
		}
	}

	return new Promise(resolve => {
		execFile(file, given, {cwd: path.join(folder, working), env: variables, timeout: 120_000}, (error, stdout, stderr) => {
			resolve(read([stdout, stderr, error?.message ?? ''].join('\n')));
		});
	});
}

await installLibrary();

const next = {
	folder: path.join(place, 'next'),
	packages: {next: '^16.4.0', react: '^19.0.0', 'react-dom': '^19.0.0'},
	builds: [
		{
			title: 'Next.js, Turbopack', bundler: '--turbopack', config: {}, registered: 'GOT_CACHE_NOT_REACHED',
		},
		{
			title: 'Next.js, webpack', bundler: '--webpack', config: {}, registered: 'GOT_CACHE_NOT_REACHED',
		},
		{
			title: 'Next.js, Turbopack, `serverExternalPackages`', bundler: '--turbopack', config: {serverExternalPackages: ['got', 'got-cache-hooks']}, registered: 'cached',
		},
	],
} as const;

/** What keeps the packages of a runner from being installed. */
const problems = new Map<string, string | undefined>();
for (const [name, {packages, files = {}, prepare}] of Object.entries(runners)) {
	const folder = path.join(place, name);
	problems.set(name, await install(folder, packages));
	await writePrograms(folder);
	for (const [file, content] of Object.entries(files)) {
		await fs.writeFile(path.join(folder, file), content);
	}

	await prepare?.(folder);
}

problems.set('next', await install(next.folder, next.packages));

function declare({title, registered}: Pick<Case, 'title' | 'registered'>, problem: string | undefined, tryIt: (isRegistered: boolean) => Promise<Output>): void {
	if (problem !== undefined) {
		// eslint-disable-next-line ava/no-skip-test, ava/require-assertion -- Its title says so.
		test.skip(`${title}: not tested, as it cannot be installed (${problem})`, () => undefined);
		return;
	}

	const isCached = registered === 'cached';
	test.serial(`${title}: an instance with a cache of its own is cached; with the register, a plain one ${isCached ? 'is, too' : `is not, and the warning is ${registered}`}`, async t => {
		const alone = await tryIt(false);
		t.deepEqual(alone.seen, {results: [{explicit: true, plain: false}], warnings: [], faults: []}, alone.text);
		const withRegister = await tryIt(true);
		t.deepEqual(withRegister.seen, {results: [{explicit: true, plain: isCached}], warnings: isCached ? [] : [registered], faults: []}, withRegister.text);
	});
}

// All tests are declared at once, as AVA demands.
for (const [name, {cases}] of Object.entries(runners)) {
	const folder = path.join(place, name);
	const problem = problems.get(name);
	for (const tried of cases) {
		declare(tried, problem, async isRegistered => run(folder, tried, isRegistered));
	}
}

const nextProblem = problems.get('next');
for (const build of next.builds) {
	declare(build, nextProblem, async isRegistered => {
		const built = isRegistered ? '' : await buildNext(next.folder, build.bundler, build.config);
		return read(await requestNext(next.folder, isRegistered), built.match(/warning|⚠.*/giv) ?? []);
	});
}

const vitestProblem = problems.get('vitest');
if (vitestProblem === undefined) {
	test.serial('the program of docs/record-and-replay.md for Vitest records and replays', async t => {
		const {origin} = await record(t, (_request, response) => {
			response.end('{"name":"Ada"}');
		});
		const folder = path.join(place, 'vitest');
		const recordings = path.join(folder, 'recordings');
		await fs.rm(recordings, {recursive: true, force: true});
		await writeSamples(folder, origin.url);
		const start = async (variables: NodeJS.ProcessEnv): Promise<unknown> => execute(path.join(folder, 'node_modules/.bin/vitest'), ['run', 'vitest.test.js'], {cwd: folder, env: {...environment, ...variables}, timeout: 120_000});

		await t.throwsAsync(start({}), undefined, 'nothing is recorded');
		t.is(origin.count, 0);
		await start({RECORD: 'record-missing'}); // eslint-disable-line @typescript-eslint/naming-convention
		t.is(origin.count, 1);
		t.deepEqual(await fs.readdir(recordings), ['Vitest-gets-a-user']);
		await start({});
		t.is(origin.count, 1);
	});
} else {
	// eslint-disable-next-line ava/no-skip-test, ava/require-assertion -- Its title says so.
	test.skip(`the program of docs/record-and-replay.md for Vitest: not tested, as it cannot be installed (${vitestProblem})`, () => undefined);
}

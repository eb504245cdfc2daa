/*
Versions of Got that are not supported, as they are published, and a package that brings a supported one.
*/
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import type {Got} from 'got';
import {
	cacheHooks,
	createCachedGot,
	installCache,
} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import {
	environment,
	execute,
	install,
	place,
} from './installation.ts';

const folder = path.join(place, 'old-got');
const root = path.resolve(import.meta.dirname, '../..');
const versions = {got11: '11.8.6', got12: '12.6.1', got13: '13.0.0'} as const;
const problem = await install(folder, {
	...Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, `npm:got@${version}`])),
	'got-scraping': '^4.2.1',
});

const when = (title: string): [string, typeof test | typeof test.skip] => problem === undefined ? [title, test] : [`${title}: not tested, as it cannot be installed (${problem})`, test.skip];

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('body');
	});
}

async function load(name: string): Promise<Got> {
	const main = name === 'got-scraping' ? 'dist/index.js' : 'dist/source/index.js';
	const {default: exported} = await import(pathToFileURL(path.join(folder, 'node_modules', name, main)).href) as {readonly default: Got & {readonly default?: Got}};
	return exported.default ?? exported;
}

for (const [name, version] of Object.entries(versions)) {
	const [title, declare] = when(`Got ${version} is refused with the version and what to do`);
	declare(title, async t => {
		await using origin = await startOrigin();
		const old = await load(name);
		const refused = {code: 'ERR_UNSUPPORTED_GOT', message: name === 'got11' ? /Got 11 or older/v : /Got 12, 13 or 14 before 14\.6/v};
		t.throws(() => createCachedGot({store: 'memory'}, old), refused);
		t.throws(() => installCache({store: 'memory'}, old), refused);
		if (name === 'got11') {
			// It calls no hook before its first request.
			const client = old.extend(cacheHooks({store: 'memory'}));
			await t.throwsAsync(async () => client(origin.url), {name: 'RequestError', message: refused.message});
		} else {
			t.throws(() => old.extend(cacheHooks({store: 'memory'})), refused);
		}

		t.is(origin.requests.length, 0);
	});
}

const [scraping, declareScraping] = when('got-scraping, which brings Got 14, is cached');
declareScraping(scraping, async t => {
	await using origin = await startOrigin();
	const {gotScraping} = await import(pathToFileURL(path.join(folder, 'node_modules/got-scraping/dist/index.js')).href) as {readonly gotScraping: Got};
	const client = gotScraping.extend(cacheHooks({store: 'memory'}));
	await client(origin.url);
	t.true((await client(origin.url)).isFromCache);
});

const [registered, declareRegistered] = when('the register names each version that it cannot reach once, and reaches that of got-scraping');
declareRegistered(registered, async t => {
	await using origin = await startOrigin();
	await fs.writeFile(path.join(folder, 'program.mjs'), `
		import {gotScraping} from 'got-scraping';

		for (const name of ['got11', 'got12', 'got13']) {
			const {default: exported} = await import(name);
			const got = exported.default ?? exported;
			await got(process.argv[2]);
			console.log((await got(process.argv[2])).isFromCache);
		}

		await gotScraping(process.argv[2] + '/scraping');
		console.log((await gotScraping(process.argv[2] + '/scraping')).isFromCache);
	`);
	const args = ['--import', path.join(root, 'source/register.ts'), 'program.mjs', origin.url];
	const {stdout, stderr} = await execute(process.execPath, args, {cwd: folder, env: {...environment, GOT_CACHE_STORE: 'memory'}}); // eslint-disable-line @typescript-eslint/naming-convention
	t.deepEqual(stdout.trim().split('\n'), ['false', 'false', 'false', 'true']);
	t.deepEqual(stderr.matchAll(/GOT_CACHE_UNSUPPORTED_GOT\].*?Got (?<version>[\d.]+)/gv).map(({groups}) => groups!.version).toArray(), Object.values(versions));
});

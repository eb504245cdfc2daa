/*
What the register does where it cannot replace the class of options of a copy of Got: it warns, once, and only where a request should have been cached.
*/
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import test from 'ava';
import {enabled, installCache, isInstalled} from '../../../source/index.ts';
import {Origin} from '../../helpers/origin.ts';
import {Fixture, type Run} from './fixture.ts';

const notReached = 'GOT_CACHE_NOT_REACHED';
const unsupported = 'GOT_CACHE_UNSUPPORTED_GOT';

const warnings = ({stderr}: Run): readonly string[] => stderr.matchAll(/\[(?<code>GOT_CACHE_\w+)\]/gv).map(({groups}) => groups!.code!).toArray();

const start = `
	import got from 'got';
	import * as library from 'got-cache-hooks';

	const url = process.argv[2];
	const settings = {store: 'memory'};
	const isCached = async (client, path) => {
		await client(url + path);
		console.log((await client(url + path)).isFromCache);
	};
`;

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('body');
	});
}

/** Runs a program with a Got that is loaded before the register. */
async function runUnreached(fixture: Fixture, origin: Origin, code: string): Promise<Run> {
	await fixture.write('early.js', 'import \'got\';');
	const environment = {NODE_OPTIONS: '--import ./early.js --import got-cache-hooks/register'}; // eslint-disable-line @typescript-eslint/naming-convention
	return fixture.run(start + code, {isRegistered: false, environment, args: [`${origin.url}/`]});
}

test.serial('a Got that the register does not reach is warned of once, however many requests it sends', async t => {
	await using origin = await startOrigin();
	const run = await runUnreached(await Fixture.create(t), origin, `
		library.installCache(settings);
		await Promise.all(['a', 'b', 'c'].map(path => isCached(got, path)));
		await library.enabled(settings, () => isCached(got.extend(), 'd'));
	`);
	t.deepEqual(run.lines, [false, false, false, false]);
	t.deepEqual(warnings(run), [notReached]);
});

test.serial('a call tree with a cache is warned of as well', async t => {
	await using origin = await startOrigin();
	const run = await runUnreached(await Fixture.create(t), origin, 'await library.enabled(settings, () => isCached(got, \'a\'));');
	t.deepEqual([run.lines, warnings(run)], [[false], [notReached]]);
});

test.serial('there is no warning while no cache is installed, and none of instances with a cache of their own', async t => {
	await using origin = await startOrigin();
	const run = await runUnreached(await Fixture.create(t), origin, `
		const client = got.extend(library.cacheHooks(settings));
		await isCached(got, 'a');
		library.installCache(settings);
		await Promise.all(['b', 'c', 'd'].map(path => isCached(client, path)));
		await isCached(client.extend({username: 'ada', password: 'secret'}), 'e');
		await library.disabled(() => isCached(got, 'f'));
		await library.uninstallCache();
		await isCached(got, 'g');
	`);
	t.deepEqual([run.lines, warnings(run)], [[false, true, true, true, true, false, false], []]);
});

test.serial('an instance with a cache of its own does not hide one without', async t => {
	await using origin = await startOrigin();
	const run = await runUnreached(await Fixture.create(t), origin, `
		library.installCache(settings);
		await isCached(got.extend(library.cacheHooks(settings)), 'a');
		await isCached(got, 'b');
	`);
	t.deepEqual([run.lines, warnings(run)], [[true, false], [notReached]]);
});

for (const [version, main] of [['9.6.0', 'source/index.js'], ['11.8.6', 'dist/source/index.js'], ['13.0.0', 'dist/source/index.js'], ['14.5.0', 'dist/source/index.js'], ['17.0.0', 'dist/source/index.js']] as const) {
	test.serial(`Got ${version}, which is not supported, is named in one warning, once a cache is installed`, async t => {
		const fixture = await Fixture.create(t);
		for (const folder of ['node_modules/old/node_modules/got', 'node_modules/older/node_modules/got']) {
			await fixture.write(`${folder}/package.json`, JSON.stringify({
				name: 'got', version, type: 'module', exports: `./${main}`,
			}));
			await fixture.write(`${folder}/${main}`, 'export default 1;');
		}

		await fixture.writePackage('node_modules/old', 'export {default} from \'got\';');
		await fixture.writePackage('node_modules/older', 'export {default} from \'got\';');
		const program = (code: string) => `
			import {installCache} from 'got-cache-hooks';
			import 'old';
			${code}
			await import('older');
		`;
		const idle = await fixture.run(program(''));
		t.is(idle.stderr, '');
		const run = await fixture.run(program('installCache({store: \'memory\'});'));
		t.deepEqual(warnings(run), [unsupported]);
		t.true(run.stderr.includes(`The requests of Got ${version} in `), run.stderr);
	});
}

test.serial('in a VM context, which has no registry, the error says that the register does not reach it', async t => {
	const listener = () => undefined;
	// The modules of Node.js are the same in all contexts: this is what the register of the process does.
	subscribe('got-cache-hooks:own-cache', listener);
	try {
		t.throws(() => installCache({store: 'memory'}), {code: 'ERR_NOT_REGISTERED', message: /VM context/v});
		await t.throwsAsync(async () => enabled({store: 'memory'}, () => undefined), {code: 'ERR_NOT_REGISTERED', message: /VM context/v});
		t.false(isInstalled());
	} finally {
		unsubscribe('got-cache-hooks:own-cache', listener);
	}

	t.throws(() => installCache({store: 'memory'}), {code: 'ERR_NOT_REGISTERED', message: /started without/v});
});

/*
The register beside other loaders of modules.
*/
import test from 'ava';
import {Origin} from '../../helpers/origin.ts';
import {Fixture} from './fixture.ts';

/** Compiles each `.js` file to CommonJS when it is required, and reads it itself, as the loaders of tsx, esbuild and swc do. */
const compilingLoader = `
	const fs = require('node:fs');
	const esbuild = require('esbuild');

	require.extensions['.js'] = (module, file) => {
		const {code} = esbuild.transformSync(fs.readFileSync(file, 'utf8'), {format: 'cjs', platform: 'node'});
		module._compile(code, file);
	};
`;

for (const [order, options] of [
	['before', '--require ./loader.cjs --import got-cache-hooks/register'],
	['after', '--import got-cache-hooks/register --import ./loader.mjs'],
] as const) {
	test.serial(`Got is reached where a loader that stands ${order} the register compiles it to CommonJS`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const fixture = await Fixture.create(t);
		await fixture.write('loader.cjs', compilingLoader);
		await fixture.write('loader.mjs', 'import \'./loader.cjs\';');
		await fixture.write('required.cjs', `
			const {default: got, Options} = require('got');
			exports.got = got;
			exports.isSame = new got.defaults.options.constructor() instanceof Options;
		`);
		const {lines, stderr} = await fixture.run(String.raw`
			import {createRequire} from 'node:module';
			import {installCache} from 'got-cache-hooks';

			const {got, isSame} = createRequire(import.meta.url)('./required.cjs');
			const instance = got.extend();
			installCache({store: 'memory'});
			await instance(process.argv[2]);
			console.log((await instance(process.argv[2])).isFromCache, '\n', isSame);
		`, {isRegistered: false, environment: {NODE_OPTIONS: options}, args: [origin.url]}); // eslint-disable-line @typescript-eslint/naming-convention
		t.is(stderr, '');
		t.deepEqual(lines, [true, true]);
	});
}

test.serial('a configuration file that is not there stops nothing, whatever the error of a loader says', async t => {
	const fixture = await Fixture.create(t);
	await fixture.write('loader.js', `
		import {registerHooks} from 'node:module';
		import fs from 'node:fs';

		registerHooks({
			resolve(specifier, context, nextResolve) {
				if (specifier.startsWith('file:') && !fs.existsSync(new URL(specifier))) {
					throw new Error('A loader of its own finds nothing.');
				}

				return nextResolve(specifier, context);
			},
		});
	`);
	const run = async (environment: Readonly<Record<string, string>> = {}) => fixture.run('console.log(1);', {
		isRegistered: false,
		environment: {NODE_OPTIONS: '--import ./loader.js --import got-cache-hooks/register', ...environment}, // eslint-disable-line @typescript-eslint/naming-convention
	});
	t.deepEqual(await run(), {code: 0, stderr: '', lines: [1]});
	const named = await run({GOT_CACHE_CONFIG: 'other.js'}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(named.code, 1);
	t.regex(named.stderr, /other\.js: A loader of its own finds nothing\./v);
});

test.serial('packages that replace accessors of Got\'s options find them on the prototype', async t => {
	await using origin = await Origin.start((request, response) => {
		response.end(request.url);
	});
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`
		import got, {Options} from 'got';
		import {installCache} from 'got-cache-hooks';

		const {get, set} = Object.getOwnPropertyDescriptor(Options.prototype, 'url');
		Object.defineProperty(Options.prototype, 'url', {get, set(url) {
			set.call(this, String(url).replace('/before', '/after'));
		}});
		installCache({store: 'memory'});
		await got(process.argv[2] + '/before');
		const {body, isFromCache} = await got(process.argv[2] + '/before');
		console.log(JSON.stringify([body, isFromCache]));
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [['/after', true]]);
});

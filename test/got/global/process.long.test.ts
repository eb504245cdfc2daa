/* eslint-disable unicorn/no-incorrect-template-string-interpolation -- The programs are code. */
import test from 'ava';
import {Origin} from '../../helpers/origin.ts';
import {Fixture} from './fixture.ts';

/** Answers each request with its number. */
async function startOrigin(): Promise<Origin> {
	let count = 0;
	let attempts = 0;
	return Origin.start((request, response) => {
		// The compared values must not depend on the time of the request.
		response.sendDate = false;
		response.setHeader('content-type', 'text/plain');
		if (request.url === '/moved') {
			response.writeHead(302, {location: '/target'});
		}

		if (request.url === '/flaky' && ++attempts === 1) {
			response.writeHead(503);
		}

		response.end(`${request.url} ${++count}`);
	});
}

const start = `
	import got from 'got';
	import * as library from 'got-cache-hooks';

	const url = process.argv[2];
	const print = (...values) => console.log(JSON.stringify(values));
	const settings = {store: 'memory'};
`;

test.serial('the requests of an indirect dependency with its own Got 15 or 16 are cached, and so are those of a CommonJS module and of an `import()`', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	await fixture.copyGot('got15', 'node_modules/middle/node_modules/deep/node_modules/got');
	await fixture.writePackage('node_modules/middle/node_modules/deep', 'import got from \'got\'; export const ask = url => got(url).text();');
	await fixture.writePackage('node_modules/middle', 'export {ask} from \'deep\';');
	await fixture.copyGot('got', 'node_modules/old/node_modules/got');
	await fixture.writePackage('node_modules/old', 'const {default: got} = require(\'got\'); exports.ask = url => got(url).text();', 'commonjs');
	await fixture.copyGot('got15', 'node_modules/late/node_modules/got');
	await fixture.writePackage('node_modules/late', 'export const ask = async url => (await import(\'got\')).default(url).text();');

	const {lines, stderr} = await fixture.run(`${start}
		import {ask as deep} from 'middle';
		import old from 'old';
		import {ask as late} from 'late';

		library.installCache(settings);
		for (const [name, ask] of Object.entries({own: url => got(url).text(), deep, old: old.ask, late})) {
			print(await ask(url + name) === await ask(url + name));
		}
	`, {args: [`${origin.url}/`]});
	t.is(stderr, '');
	t.deepEqual(lines, [[true], [true], [true], [true]]);
	t.deepEqual(origin.requests.map(({url}) => url), ['/own', '/deep', '/old', '/late']);
});

test.serial('instances that were made before the installation are cached, through every API of Got, and so are those made by other exports', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		import {create, Options, calculateRetryDelay} from 'got';
		import {text} from 'node:stream/consumers';

		const before = {
			extended: got.extend({headers: {'x-extended': 'yes'}}),
			created: create({options: new Options(), handlers: [], mutableDefaults: true}),
			cleared: got.extend({hooks: {init: [plain => { plain.hooks = {beforeRequest: []}; }]}}),
		};
		library.installCache(settings);
		for (const [name, instance] of Object.entries(before)) {
			await instance(url + '/' + name);
			const again = await instance(url + '/' + name);
			print(name, again.isFromCache, library.cacheInfo(again).reason, library.getCache(instance) === library.getCache());
		}

		print('stream', await text(got.stream(url + '/extended')));
		await got(url + '/moved');
		const moved = await got(url + '/moved');
		print(moved.isFromCache, moved.redirectUrls.map(String), moved.url);
		const retried = await got(url + '/flaky', {retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue && 1}});
		print(retried.retryCount, (await got(url + '/flaky')).isFromCache);
		print((await got(url + '/extended', {context: {cache: {forceRefresh: true}}})).isFromCache, typeof calculateRetryDelay);
		const wrong = await got(url, {context: {cache: {expireAfter: '5 parsecs'}}}).catch(error => error);
		print(wrong.name, wrong.cause.path);
		print((await library.explain(got, {url: url + '/target', headers: {'accept-encoding': ''}})).reason);
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [
		['extended', true, 'fresh', true],
		['created', true, 'fresh', true],
		['cleared', true, 'fresh', true],
		['stream', '/extended 1'],
		[true, [`${origin.url}/target`], `${origin.url}/target`],
		[1, true],
		[false, 'function'],
		['RequestError', 'context.cache.expireAfter'],
		['fresh'],
	]);
});

test.serial('uninstalling restores Got: the requests sent, the responses received, and the objects of Got', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.sendDate = false;
		response.end('body');
	});
	const fixture = await Fixture.create(t);
	const look = `${start}
		import {Options} from 'got';

		const hooks = () => Object.values(got.defaults.options.hooks).flat().length;
		// With the register, Got's exports are of a subclass.
		const parent = Object.getPrototypeOf(Options.prototype);
		const {getRequestFunction, ...own} = Object.getOwnPropertyDescriptors(parent === Object.prototype ? Options.prototype : parent);
		const describe = () => ({
			name: Options.name,
			source: String(getRequestFunction.value),
			methods: Reflect.ownKeys(own).map(String),
			hooks: hooks(),
			handlers: got.defaults.handlers.length,
		});
		const ask = async () => {
			const response = await got.post(url + '/items', {json: {a: 1}, headers: {'x-b': '2'}});
			const {request: {options}, rawHeaders, statusCode, body, isFromCache} = response;
			return {rawHeaders, statusCode, body, isFromCache, own: Reflect.ownKeys(options).map(String), response: Object.keys(response)};
		};
	`;
	const plain = await fixture.run(`${look}
		print(describe(), await ask());
	`, {args: [origin.url], isRegistered: false});
	const sleeping = await fixture.run(`${look}
		print(describe(), await ask());
	`, {args: [origin.url]});
	const uninstalled = await fixture.run(`${look}
		library.installCache({...settings, allowableMethods: ['POST']});
		await ask();
		const {isFromCache} = await ask();
		if (isFromCache) {
			await library.uninstallCache();
			await library.uninstallCache();
			print(describe(), await ask());
		}
	`, {args: [origin.url]});
	t.is(plain.lines.length, 1, plain.stderr);
	t.deepEqual(sleeping, plain);
	t.deepEqual(uninstalled, plain);
	const seen = origin.requests.map(({headers, ...request}) => ({...request, headers: Object.entries(headers)}));
	t.is(seen.length, 4);
	t.deepEqual(seen[1], seen[0]);
	t.deepEqual(seen[3], seen[0]);
});

test.serial('a method of the user that replaces ours is called, and remains', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		import {Options} from 'got';

		library.installCache(settings);
		const {getRequestFunction} = Options.prototype;
		let calls = 0;
		Options.prototype.getRequestFunction = function () {
			calls++;
			return getRequestFunction.call(this);
		};
		await got(url);
		print((await got(url)).isFromCache, calls);
		await library.uninstallCache();
		print((await got(url)).isFromCache, calls);
		library.installCache(settings);
		await got(url);
		print((await got(url)).isFromCache);
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[true, 3], [false, 4], [true]]);
});

test.serial('installing twice replaces and closes the first cache; a replaced installation uninstalls nothing', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		let closed = 0;
		class Store extends Map {
			disconnect() {
				closed++;
			}
		}
		print(library.isInstalled(), library.getCache() === undefined);
		const first = library.installCache({store: new Store(), autoclose: true});
		await got(url);
		{
			await using second = library.installCache(settings);
			print(library.getCache() === second.cache, (await got(url)).isFromCache, (await got(url)).isFromCache);
			await first[Symbol.asyncDispose]();
			print(library.isInstalled());
		}
		print(library.isInstalled(), (await got(url)).isFromCache);
		await library.clear();
		await library.deleteResponses({keys: ['nothing is installed']});
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[false, true], [true, false, true], [true], [false, false]]);
});

test.serial('responses of the installed cache can be deleted, one or all', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		library.installCache(settings);
		const {key} = library.cacheInfo(await got(url + '/a'));
		await got(url + '/b');
		await library.deleteResponses({keys: [key]});
		print((await got(url + '/a')).isFromCache, (await got(url + '/b')).isFromCache);
		await library.clear();
		print((await got(url + '/a')).isFromCache, (await got(url + '/b')).isFromCache);
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[false, true], [false, false]]);
});

test.serial('`enabled` and `disabled` apply to one call tree, also nested or concurrent', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		import {setTimeout as pause} from 'node:timers/promises';

		const twice = async name => {
			await got(url + name);
			await pause(5);
			return (await got(url + name)).isFromCache;
		};
		print(await Promise.all([library.enabled(settings, () => twice('/a')), twice('/b'), library.enabled(settings, () => twice('/a'))]));
		print(library.isInstalled());
		library.installCache(settings);
		print(await Promise.all([library.disabled(() => twice('/c')), twice('/d'), library.disabled(() => library.enabled(settings, () => twice('/e')))]));
		print(library.disabled(() => library.isInstalled()), library.isInstalled(), library.disabled(() => library.getCache() ?? 'none'));
		const ofTree = await library.enabled(settings, () => library.getCache());
		print(ofTree === library.getCache());
		try {
			await library.enabled({...settings, expireAfter: '5 parsecs'}, () => print('not called'));
		} catch (error) {
			print(error.path);
		}
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[[true, false, true]], [false], [[false, true, true]], [false, true, 'none'], [false], ['cache.expireAfter']]);
	t.is(origin.requests.filter(({url}) => url === '/a').length, 2);
});

test.serial('`enabled` waits for refreshes in the background', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		const store = new Map();
		let time = 0;
		const stale = {store, expireAfter: 60, staleWhileRevalidate: true, now: () => time};
		const ask = async () => {
			const {body, isFromCache} = await got(url + '/a');
			return [body, isFromCache];
		};
		print(await library.enabled(stale, ask));
		time += 120_000;
		print(await library.enabled(stale, ask));
		print(await library.enabled(stale, ask));
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[['/a 1', false]], [['/a 1', true]], [['/a 2', true]]]);
	t.is(origin.count, 2);
});

test.serial('an instance with its own cache keeps it, and a request is cached once; the `cache` option of Got is unchanged', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		const installed = new Map();
		const own = new Map();
		const ofGot = new Map();
		library.installCache({store: installed});
		const client = got.extend(library.cacheHooks({store: own}));
		await client(url + '/own');
		print((await client(url + '/own')).isFromCache);
		await library.getCache(client).idle();
		await library.getCache().idle();
		print(own.size > 0, installed.size, library.getCache(client) === library.getCache());
		await got(url + '/got', {cache: ofGot});
		await library.getCache().idle();
		print(installed.size);
		await got(url + '/installed');
		await library.getCache().idle();
		print(installed.size > 0);
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[true], [true, 0, false], [0], [true]]);
});

test.serial('`withoutNetwork` also applies to instances without a cache', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		const ask = async () => {
			try {
				return (await got(url.replace('//', '//ada:lovelace@') + '/plain?access_token=secret')).statusCode;
			} catch (error) {
				return [error.code, error.message.replace(url, '')];
			}
		};
		print(await Promise.all([library.withoutNetwork(ask), ask()]), await ask());
	`, {args: [origin.url]});
	t.is(stderr, '');
	t.deepEqual(lines, [[[['ERR_NO_NETWORK', 'No response is stored for `GET /plain?access_token=REDACTED` (no cache), and `withoutNetwork` prevents the request.'], 200], 200]]);
});

test.serial('without the register, the error of `installCache` says what to do, and the other functions find no cache', async t => {
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`${start}
		for (const install of [library.installCache, () => library.enabled(settings, () => {})]) {
			try {
				await install(settings);
			} catch (error) {
				print(error.code, error.message.includes('--import got-cache-hooks/register'));
			}
		}
		await library.uninstallCache();
		await library.clear();
		print(library.isInstalled(), library.getCache() ?? 'none', library.disabled(() => 1), library.withoutNetwork(() => 2));
	`, {isRegistered: false});
	t.is(stderr, '');
	t.deepEqual(lines, [['ERR_NOT_REGISTERED', true], ['ERR_NOT_REGISTERED', true], [false, 'none', 1, 2]]);
});

test.serial('importing the package changes nothing in the process, and creates no file', async t => {
	const fixture = await Fixture.create(t);
	const {lines, stderr} = await fixture.run(`
		import assert from 'node:assert/strict';
		import events from 'node:events';
		import fs from 'node:fs';
		import http from 'node:http';
		import https from 'node:https';
		import module from 'node:module';
		import net from 'node:net';
		import got, {Options} from 'got';
		import 'keyv';
		import 'node:sqlite';

		const descriptors = object => Object.fromEntries(Reflect.ownKeys(object).map(key => {
			const {get, set, value} = Object.getOwnPropertyDescriptor(object, key);
			return [String(key), [get, set, value].map(part => typeof part === 'function' ? part : typeof part === 'object' ? 'object' : part)];
		}));
		const snapshot = () => ({
			objects: Object.fromEntries(Object.entries({
				globalThis, http, https, net, module, events, process, options: Options.prototype, request: http.ClientRequest.prototype,
				Object, Array, Promise, Error, objects: Object.prototype, arrays: Array.prototype, promises: Promise.prototype, functions: Function.prototype,
			}).map(([name, object]) => [name, descriptors(object)])),
			listeners: Object.fromEntries(process.eventNames().map(name => [String(name), process.listeners(name)])),
			environment: {...process.env},
			folder: [process.cwd(), ...fs.readdirSync('.')],
			agents: [Object.keys(http.globalAgent.options), Object.keys(https.globalAgent.options)],
			defaults: [got.defaults.handlers.length, Object.values(got.defaults.options.hooks).flat().length],
			resources: process.getActiveResourcesInfo().filter(name => name === 'Timeout' || name.includes('TCP')),
		});

		// Node.js counts what it does by itself.
		process.getActiveResourcesInfo();
		const before = snapshot();
		await import('got-cache-hooks');
		assert.deepEqual(snapshot(), before);
		globalThis.other = 1;
		assert.notDeepEqual(snapshot(), before);
		console.log('true');
	`, {isRegistered: false});
	t.is(stderr, '');
	t.deepEqual(lines, [true]);
});

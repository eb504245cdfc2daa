// Runs in a folder into which `pack-test` has installed the library and Got. It exits with an error unless all works that is named in the line that it prints at the end.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import got from 'got';
import Keyv from 'keyv';
import * as library from 'got-cache-hooks';
import {DynamoDbStore} from 'got-cache-hooks/dynamodb';

const {cacheHooks, cacheInfo, getCache, SettingError} = library;
const here = import.meta.dirname;
const run = (...args) => promisify(execFile)(process.execPath, args, {timeout: 30_000});
const packageOf = name => JSON.parse(fs.readFileSync(path.join(here, 'node_modules', name, 'package.json'), 'utf8'));

const stores = {
	default: {},
	memory: {store: 'memory'},
	sqlite: {store: 'sqlite', cacheName: 'named'},
	filesystem: {store: 'filesystem'},
	Map: {store: new Map()},
	Keyv: {store: new Keyv()},
};

// `/fresh/…` may be used again without asking, `/stale/…` must be validated.
let requests = [];
const server = http.createServer((request, response) => {
	const etag = '"1"';
	const isUnchanged = request.headers['if-none-match'] === etag;
	response.setHeader('content-type', 'application/json');
	response.setHeader('cache-control', request.url.startsWith('/fresh/') ? 'max-age=60' : 'no-cache');
	response.setHeader('etag', etag);
	response.statusCode = isUnchanged ? 304 : 200;
	requests.push(`${request.url} ${response.statusCode}`);
	response.end(isUnchanged ? undefined : JSON.stringify({url: request.url}));
});

async function tryStore(name, settings) {
	const client = got.extend(cacheHooks({cacheControl: true, ...settings}));
	for (const [url, isRevalidated] of [[`/fresh/${name}`, false], [`/stale/${name}`, true]]) {
		requests = [];
		const address = `http://127.0.0.1:${server.address().port}${url}`;
		const [first, second] = [await client(address), await client(address)];

		assert.equal(first.isFromCache, false, `${url}: the first answer is from the origin`);
		assert.equal(second.isFromCache, true, `${url}: the second answer is from the cache`);
		assert.equal(cacheInfo(second).revalidated, isRevalidated);
		assert.equal(second.body, JSON.stringify({url}));
		assert.deepEqual(requests, isRevalidated ? [`${url} 200`, `${url} 304`] : [`${url} 200`]);
	}

	await getCache(client).close();
}

async function tryDecorators(dialect) {
	const {stdout} = await run(path.join(here, `decorated-${dialect}.js`));
	assert.match(stdout, /^(?<line>ada .* after 2 requests\n)\k<line>/v, `decorated class, ${dialect}: the second calls are answered from the cache`);
}

// Modules that nothing has loaded so far have their syntax errors as well.
async function importAll() {
	const {peerDependenciesMeta} = packageOf('got-cache-hooks');
	const dist = path.dirname(fileURLToPath(import.meta.resolve('got-cache-hooks')));
	// The command line runs when it is loaded.
	const modules = fs.readdirSync(dist, {recursive: true}).filter(file => file.endsWith('.js') && file !== 'cli.js');
	const lacking = [];
	for (const file of modules) {
		try {
			// A module that exports `then` would be taken for a promise.
			await import(`data:text/javascript,import ${JSON.stringify(pathToFileURL(path.join(dist, file)).href)}`);
		} catch (error) {
			const driver = error.code === 'ERR_MODULE_NOT_FOUND' && Object.keys(peerDependenciesMeta).find(name => error.message.includes(`'${name}'`));
			if (!driver) {
				throw new Error(`Cannot import ${file}`, {cause: error});
			}

			lacking.push(driver);
		}
	}

	return `${modules.length} modules${lacking.length === 0 ? '' : `, ${lacking.length} without their driver`}`;
}

// In the folder with the default store: its commands that read, then one that asks the origin, and one that deletes.
async function tryCommandLine() {
	const {bin} = packageOf('got-cache-hooks');
	const command = path.join(here, 'node_modules/got-cache-hooks', bin['got-cache-hooks']);
	const url = `http://127.0.0.1:${server.address().port}/fresh/default`;
	const outputs = {};
	for (const [name, ...words] of [['ls', '--json'], ['show', url], ['explain', url], ['stats'], ['har', '-'], ['get', url, '--cache-control'], ['copy', 'copied'], ['rm', '--valid', '--expired', '--yes']]) {
		const {stdout, stderr} = await run(command, name, 'http_cache.sqlite', ...words);
		assert.equal(stderr, '', `${name} reports nothing`);
		outputs[name] = stdout;
	}

	assert.equal(JSON.parse(outputs.ls).map(entry => entry.url).includes(url), true, 'ls lists what is stored');
	assert.match(outputs.show, /"url": "\/fresh\/default"/v);
	assert.match(outputs.explain, /: serve, because of `fresh`/v);
	assert.equal(outputs.get, JSON.stringify({url: '/fresh/default'}));
	assert.equal(outputs.copy, 'Copied 2 entries.\n');
	assert.equal(outputs.rm, 'Deleted 2 entries.\n');

	const {stdout} = await run('--input-type=module', '--eval', String.raw`
		import {registerHooks} from 'node:module';
		const loaded = [];
		registerHooks({load(url, context, nextLoad) {
			loaded.push(url);
			return nextLoad(url, context);
		}});
		await import('got-cache-hooks');
		await import('got-cache-hooks/dynamodb');
		console.log(loaded.join('\n'));
	`);
	assert.match(stdout, /\/core\.js\n/v);
	assert.doesNotMatch(stdout, /\/(?:cli|commands|output)\.js/v, 'the library does not load its command line');
}

// What one entry point throws is of the classes of the other, and everything has the name that users see in stack traces.
function tryModuleGraph() {
	assert.throws(() => new DynamoDbStore({tableName: ''}), SettingError);
	const {parseCacheControl: _otherName, ...others} = library;
	for (const [name, value] of Object.entries(others)) {
		assert.equal(typeof value === 'function' ? value.name : name, name);
	}
}

// The stores that lie in files begin empty.
tryModuleGraph();
process.chdir(fs.mkdtempSync(path.join(here, 'run-')));
server.listen(0, '127.0.0.1');
await once(server, 'listening');

try {
	for (const [name, settings] of Object.entries(stores)) {
		await tryStore(name, settings);
	}

	await tryCommandLine();
} finally {
	server.close();
}

assert.ok(fs.existsSync('http_cache.sqlite'), 'the default store outlives the process');

await Promise.all([
	tryDecorators('standard'),
	tryDecorators('legacy'),
	run('--import', 'got-cache-hooks/register', path.join(here, 'pack-test-installed.js')),
]);

const modules = await importAll();
console.log(`Node.js ${process.versions.node}, Got ${packageOf('got').version}: a hit and a 304 with each store (${Object.keys(stores).join(', ')}), decorated classes, the register, the command line, ${modules}`);

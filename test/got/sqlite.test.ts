import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {spawn} from 'node:child_process';
import {
	readFile,
	readdir,
} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

for (const [name, instance] of majors) {
	test(`${name}: a response that one client stored in SQLite is served to the next, through both APIs`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'content-type': 'application/json', etag: '"1"'});
			response.end('{"a":1}');
		});
		const settings = {store: 'sqlite', cacheName: path.join(folder.path, 'cache')} as const;
		const {client: first, clock} = createClient(settings, instance);
		await first(origin.url);
		await getCache(first).close();
		const {client: second} = createClient({...settings, now: clock.now}, instance);
		const response = await second(origin.url);
		t.true(response.isFromCache);
		t.is(response.body, '{"a":1}');
		t.is(response.headers.etag, '"1"');
		t.is(cacheInfo(response).reason, 'fresh');
		t.is(await readStream(second.stream(origin.url)), '{"a":1}');
		await getCache(second).close();
		t.is(origin.count, 1);
	});
}

test('http_cache.sqlite in the working folder is the default, and outlives the process', async t => {
	await using folder = await temporaryFolder();
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const script = `
		import got from ${JSON.stringify(import.meta.resolve('got'))};
		import {cacheHooks} from ${JSON.stringify(import.meta.resolve('../../source/index.ts'))};
		const client = got.extend(cacheHooks());
		const response = await client('${origin.url}');
		process.stdout.write(String(response.isFromCache));
	`;
	const run = async (): Promise<string> => {
		const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000});
		const output = Array.fromAsync(child.stdout as AsyncIterable<Uint8Array>);
		await once(child, 'exit');
		return Buffer.concat(await output).toString();
	};

	t.is(await run(), 'false');
	t.true((await readdir(folder.path)).includes('http_cache.sqlite'));
	t.is(await run(), 'true');
	t.is(origin.count, 1);
});

test('no credential is in the file', async t => {
	await using folder = await temporaryFolder();
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {vary: 'authorization, cookie', 'set-cookie': 'session=marker'});
		response.end('answer');
	});
	const {client} = createClient({store: 'sqlite', cacheName: path.join(folder.path, 'cache')});
	await client(origin.url.replace('//', '//marker:marker@'));
	await client(`${origin.url}/?api_key=marker&access_token=marker&x=kept`, {headers: {authorization: 'Bearer marker', cookie: 'a=marker', 'x-api-key': 'marker'}});
	await getCache(client).idle();
	const files = await readdir(folder.path);
	const bytes = Buffer.concat(await Promise.all(files.map(async file => readFile(path.join(folder.path, file)))));
	t.true(bytes.includes('x=kept'));
	t.false(bytes.includes('marker'));
	await getCache(client).close();
});

for (const [title, settings, isDeferred] of [
	['by default, a response is written before it is read', {}, true],
	['with `failFast`, a response is written before the caller has it', {failFast: true}, false],
	['with a short `storeTimeout`, a write is not deferred beyond it', {storeTimeout: 20}, false],
] as const) {
	test(title, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start((_request, response) => {
			response.end('answer');
		});
		const file = path.join(folder.path, 'cache.sqlite');
		const {client} = createClient({store: 'sqlite', cacheName: file, ...settings});
		const cache = getCache(client);
		const faults: unknown[] = [];
		cache.on('storeError', fault => {
			faults.push(fault);
		});
		const countInFile = (): unknown => {
			const database = new DatabaseSync(file, {readOnly: true});
			try {
				return database.prepare('SELECT count(*) AS count FROM entries WHERE created_at IS NOT NULL').get()!.count;
			} finally {
				database.close();
			}
		};

		await client(`${origin.url}/first`);
		await cache.idle();
		t.is(countInFile(), 1);
		await client(`${origin.url}/second`);
		await nextTurn();
		t.true(isDeferred || countInFile() === 2);
		t.true((await client(`${origin.url}/second`)).isFromCache);
		t.is(countInFile(), 2);
		t.is(origin.count, 2);
		await cache.close();
		t.deepEqual(faults, []);
	});
}

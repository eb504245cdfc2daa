import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import KeyvRedis, {createClient} from '@keyv/redis';
import test, {type ExecutionContext, type TestFn} from 'ava';
import type {RedisStoreOptions} from '../../../source/stores/redis/options.ts';
import {RedisStore} from '../../../source/stores/redis/redis.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {
	findRedis,
	redisCommand,
	reportServer,
} from '../../helpers/servers.ts';
import {testStoreFaults} from '../contract-faults.ts';
import {listed, testStore, textOf} from '../contract.ts';
import {elsewhere} from '../open-elsewhere.ts';

const kept = {expires: undefined};

/** A long time limit, so that tests that are not about time pass on a busy machine. */
const timeout = 20_000;
const entry = {expires: undefined, indexed: {createdAt: 0, freshUntil: undefined}};
const program = await findRedis();
const command = program === undefined ? undefined : redisCommand(program);

// Everything that takes time comes before the first test: AVA wants all of them declared at once.
const server = command === undefined ? undefined : await ServerProcess.start(command);
const client = createClient({url: urlOf(server?.port ?? 0)});
let version: string | undefined;
if (server !== undefined) {
	await client.connect();
	version = /redis_version:(?<version>\S+)/v.exec(await client.info('server'))!.groups!.version!;
}

reportServer(test, 'redis', version === undefined ? undefined : `Redis ${version}`, '`redis-server` on the PATH (Debian: `apt-get install redis-server`)');
if (server !== undefined) {
	registerTests(server.port);
	testStoreFaults(test.serial as TestFn, 'redis', {
		start: async () => ServerProcess.start(command!),
		open: port => new RedisStore({url: urlOf(port)}),
		isDurable: false,
	});
	test.after.always(async () => {
		client.destroy();
		await server.stop();
	});
}

/** Connects a client of the driver to a server that stops before the client is destroyed. */
async function connectClient(t: ExecutionContext, port: number): Promise<ReturnType<typeof createClient>> {
	const connecting = createClient({url: urlOf(port)});
	// Without a listener, the error of the lost connection would end the process.
	connecting.on('error', () => undefined);
	await connecting.connect();
	t.teardown(() => {
		connecting.destroy();
	});
	return connecting as ReturnType<typeof createClient>;
}

function urlOf(port: number): string {
	return `redis://127.0.0.1:${port}`;
}

function registerTests(port: number): void {
	const url = urlOf(port);
	const open = (t: ExecutionContext, options: RedisStoreOptions = {}): RedisStore => {
		const store = new RedisStore({
			...options.client === undefined && {url}, cacheName: randomUUID(), connectionTimeout: timeout, ...options,
		});
		t.teardown(async () => store.close());
		return store;
	};

	testStore(test, 'redis', {
		makePlace({now}) {
			const place = randomUUID();
			return {
				open: namespace => new RedisStore({
					url, cacheName: `${place}${namespace}`, now, connectionTimeout: timeout,
				}),
				elsewhere: elsewhere('redis', {url, cacheName: place + '{namespace}', connectionTimeout: timeout}),
			};
		},
		hasOurClock: false,
		persists: true,
		offers: ['add', 'count'],
	});

	test('redis: the server itself deletes an entry when the time that remained at the write has passed', async t => {
		const store = open(t, {cacheName: 'expiry', now: () => 1000});
		await store.set('key', Buffer.from('one'), {expires: 61_000});
		const left = await client.pTTL('got-cache-hooks:expiry::key');
		t.true(left > 50_000 && left <= 60_000, String(left));
		await store.set('key', Buffer.from('one'), {expires: 1000.5});
		await store.set('far', Buffer.from('one'), {expires: 1e300});
		await store.set('kept', Buffer.from('one'), {expires: Infinity});
		t.is(await client.pTTL('got-cache-hooks:expiry::kept'), -1);
		while (await client.exists('got-cache-hooks:expiry::key') === 1) {
			await new Promise(resolve => {
				setTimeout(resolve, 5);
			});
		}

		t.deepEqual(await listed(store), ['far', 'kept']);
	});

	test('redis: a cache whose name looks like a pattern clears only its own entries', async t => {
		const names = ['a*', 'ab', 'a?', 'a[b]', String.raw`a\b`, 'a:', 'a', 'a%3A', 'é*'];
		const place = randomUUID();
		const stores = names.map(name => open(t, {cacheName: place + name}));
		for (const name of names) {
			await Promise.all(stores.map(async store => store.set(':x', Buffer.from('one'), kept)));
			await stores[names.indexOf(name)]!.clear();
			const counts = await Promise.all(stores.map(async store => listed(store)));
			t.deepEqual(counts.map(keys => keys.length), names.map(other => other === name ? 0 : 1), name);
		}
	});

	test('redis: of 50 concurrent adds one succeeds, even if the entry has expired', async t => {
		const stores = [open(t, {cacheName: 'add'}), open(t, {cacheName: 'add'})];
		const added = await Promise.all(Array.from({length: 50}, async (_, index) => stores[index % 2]!.add('key', Buffer.from(String(index)), {expires: Date.now() + 1e6})));
		const winner = added.indexOf(true);
		t.is(added.filter(Boolean).length, 1);
		t.is(textOf(await stores[0]!.get('key')), String(winner));
		t.false(await stores[0]!.add('key', Buffer.from('late'), {expires: 0}));
		await stores[0]!.delete('key');
		t.true(await stores[0]!.add('key', Buffer.from('late'), {expires: 0}));
		t.is(await stores[0]!.get('key'), undefined);
		t.true(await stores[0]!.add('key', Buffer.from('new'), kept));
	});

	test('redis: only values that were set as entries are counted', async t => {
		const store = open(t, {cacheName: 'count'});
		const values = ['', 'value', '\0got-cache-hooks:', '\0got-cache-hooks:p', '\0got-cache-hooks:e', '\0got-cache-hooks:x?'];
		for (const [index, value] of values.entries()) {
			await store.set(`entry ${index}`, Buffer.from(value), entry);
			await store.set(`other ${index}`, Buffer.from(value), kept);
			t.is(textOf(await store.get(`entry ${index}`)), value);
			t.is(textOf(await store.get(`other ${index}`)), value);
		}

		t.is(await store.count(), values.length);
		t.is(await client.get('got-cache-hooks:count::entry 1'), 'value');
	});

	test('redis: a set that fails throws and keeps the old value, also with an instance of @keyv/redis', async t => {
		await using full = await ServerProcess.start(command!);
		const keyv = new KeyvRedis(urlOf(full.port));
		const stores = [open(t, {url: urlOf(full.port), cacheName: 'ours'}), open(t, {client: keyv as never, cacheName: 'theirs'})];
		for (const store of stores) {
			await store.set('key', Buffer.from('one'), kept);
		}

		await (keyv.client as typeof client).configSet('maxmemory', '1');
		for (const store of stores) {
			await t.throwsAsync(async () => store.set('key', Buffer.from('two'), kept), {message: /OOM/v});
			t.is(textOf(await store.get('key')), 'one');
			await t.throwsAsync(async () => store.set('key', 'text', kept), {code: 'ERR_STORE_VALUE'});
		}

		// A full server refuses writes, but deletes.
		await stores[0]!.clear();
		t.true(await stores[1]!.delete('key'));
		t.deepEqual(await (keyv.client as typeof client).keys('*'), []);
		await (keyv.client as typeof client).configSet('maxmemory', '0');
		await stores[0]!.set('key', Buffer.from('two'), kept);
		t.is(textOf(await stores[0]!.get('key')), 'two');
		await keyv.disconnect();
	});

	test('redis: a client that is handed in is used with its own options and stays open', async t => {
		const handed = createClient({url, RESP: 3, commandOptions: {typeMapping: {36: Buffer}}}); // eslint-disable-line @typescript-eslint/naming-convention
		t.teardown(() => {
			handed.destroy();
		});
		const store = open(t, {client: handed as never, cacheName: 'handed'});
		await store.set('é', Buffer.from([0, 255]), entry);
		t.deepEqual(await store.get('é'), Buffer.from([0, 255]));
		t.deepEqual(await listed(store), ['é']);
		t.is(await store.count(), 1);
		await store.close();
		t.true(handed.isOpen);
		await t.throwsAsync(async () => store.get('é'), {code: 'ERR_STORE_CLOSED'});
	});

	test('redis: only our keys are read, counted and deleted on the client of an application', async t => {
		await using theirs = await ServerProcess.start(command!);
		const handed = await connectClient(t, theirs.port);
		const foreign = ['session', 'a', 'a:', 'a:b', 'aa::key', 'A::key', '*', '[a]', 'a*', 'ab::key', 'a%3A', 'http_cache', 'keyv::a::key', 'a::session', 'http_cache::session'];
		await Promise.all(foreign.map(async key => handed.set(key, 'of the application')));
		await handed.hSet('got-cache-hooks:a::their hash', 'field', 'value');
		await handed.rPush('got-cache-hooks:a*::their list', 'value');
		const names = ['a', 'a*', 'a:b', '[a]', 'a:', '*', 'a?', String.raw`\a`];
		const stores = names.map(cacheName => open(t, {client: handed as never, cacheName}));
		for (const store of stores) {
			await store.set('key', Buffer.from('one'), entry);
			await store.set('lock', Buffer.from('one'), kept);
		}

		for (const [index, store] of stores.entries()) {
			t.deepEqual(await listed(store), ['key', 'lock'], names[index]);
			t.is(await store.count(), 1);
			await store.clear();
			const left = await Promise.all(stores.map(async other => other.count()));
			t.deepEqual(left, names.map((_, other) => other > index ? 1 : 0), names[index]);
		}

		const keys = await handed.keys('*');
		t.deepEqual(keys.toSorted(), [...foreign, 'got-cache-hooks:a::their hash', 'got-cache-hooks:a*::their list'].toSorted());
	});

	test('redis: only listing, counting and clearing scan the keys', async t => {
		await using own = await ServerProcess.start(command!);
		const watcher = await connectClient(t, own.port);
		const scans = async (): Promise<number> => {
			const info = await watcher.info('commandstats');
			t.notRegex(info, /cmdstat_(?:keys|flush\w+):/v);
			return Number(/cmdstat_scan:calls=(?<calls>\d+)/v.exec(info)?.groups?.calls ?? 0);
		};

		const store = open(t, {url: urlOf(own.port)});
		await store.set('key', Buffer.from('one'), entry);
		await store.get('key');
		await store.add('other', Buffer.from('one'), {expires: Date.now() + 1e6});
		await store.set('past', Buffer.from('one'), {expires: 1});
		await store.delete('key');
		await store.deleteMany(['other', 'absent']);
		t.is(await scans(), 0);
		for (const [index, manage] of [async () => store.count(), async () => listed(store), async () => store.clear()].entries()) {
			await manage();
			t.is(await scans(), index + 1);
		}
	});

	test('redis: every call settles within its time limit while the server is paused or away', async t => {
		await using other = await ServerProcess.start(command!);
		const handed = createClient({url: urlOf(other.port)});
		t.teardown(() => {
			handed.destroy();
		});
		// Less than the client of Redis waits by itself.
		const limits = {connectionTimeout: 3000, commandTimeout: 2000};
		const ours = open(t, {url: urlOf(other.port), ...limits});
		const theirs = open(t, {client: handed as never, ...limits});
		const value = Buffer.from('one');
		const settleAll = async (store: RedisStore): Promise<string[]> => {
			const settled = await Promise.allSettled([
				store.get('key'),
				store.set('key', value, kept),
				store.add('key', value, kept),
				store.delete('key'),
				store.deleteMany(['key']),
				store.clear(),
				store.count(),
				listed(store),
			]);
			return settled.map(({status}) => status);
		};

		for (const store of [ours, theirs]) {
			await store.set('key', value, kept);
		}

		await other.suspend();
		for (const store of [ours, theirs]) {
			t.false((await settleAll(store)).includes('fulfilled'));
			t.false((await settleAll(store)).includes('fulfilled'));
		}

		other.resume();
		t.false((await settleAll(ours)).includes('rejected'));
		await other.stop();
		for (const store of [ours, theirs]) {
			t.false((await settleAll(store)).includes('fulfilled'));
			t.false((await settleAll(store)).includes('fulfilled'));
		}

		await other.start();
		t.false((await settleAll(ours)).includes('rejected'));
	});

	test('redis: a server that does not exist is an error at once that shows no password, and closing does not throw', async t => {
		const store = new RedisStore({url: 'redis://user:secret@127.0.0.1:1'});
		const error = await t.throwsAsync(async () => store.get('key'), {code: 'ECONNREFUSED'});
		t.false(String(error.stack).includes('secret'));
		await store.close();
		await store.close();
		const refusal = t.throws(() => new RedisStore({url: 'http://user:secret@host'}), {instanceOf: TypeError});
		t.false(refusal.message.includes('secret'));
		t.throws(() => new RedisStore({cacheName: ''}), {message: /cacheName/v});
		t.throws(() => new RedisStore({commandTimeout: 0}), {message: /commandTimeout/v});
	});
}

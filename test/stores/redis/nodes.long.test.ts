import {Buffer} from 'node:buffer';
import fs from 'node:fs/promises';
import {join} from 'node:path';
import {createClient} from '@keyv/redis';
import test, {type ExecutionContext} from 'ava';
import {RedisStore} from '../../../source/stores/redis/redis.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {findRedis, redisCommand} from '../../helpers/servers.ts';
import {until} from '../../helpers/until.ts';
import {processFolder} from '../../helpers/temporary-folder.ts';
import {listed, textOf} from '../contract.ts';

const entry = {expires: undefined, indexed: {createdAt: 0, freshUntil: undefined}};
const program = await findRedis();

// `redis.long.test.ts` reports that it is missing.
const testRedis = program === undefined ? test.skip : test;

async function command(port: number, ...words: string[]): Promise<unknown> {
	const client = createClient({url: `redis://127.0.0.1:${port}`});
	await client.connect();
	try {
		return await client.sendCommand(words);
	} finally {
		client.destroy();
	}
}

async function checkStore(t: ExecutionContext, store: RedisStore, other: RedisStore): Promise<void> {
	const keys = Array.from({length: 200}, (_, index) => `key ${String(index).padStart(3, '0')}`);
	await Promise.all(keys.map(async key => store.set(key, Buffer.from([0, 255, ...Buffer.from(key)]), entry)));
	await other.set('other', Buffer.from('other'), entry);
	t.deepEqual(await store.get(keys[7]!), Buffer.from([0, 255, ...Buffer.from(keys[7]!)]));
	t.is(await store.count(), 200);
	t.deepEqual(await listed(store), keys);
	t.false(await store.add(keys[0]!, Buffer.from('x'), entry));
	t.true(await store.delete(keys[0]!));
	t.true(await store.add(keys[0]!, Buffer.from('x'), {expires: Date.now() + 1e6}));
	await store.deleteMany(keys.slice(0, 50));
	t.deepEqual(await listed(store), keys.slice(50));
	await store.clear();
	t.deepEqual(await listed(store), []);
	t.deepEqual(await listed(other), ['other']);
}

testRedis('redis cluster: keys on all masters are listed, counted and cleared', async t => {
	const folders = [processFolder(), processFolder()];
	const nodes = await Promise.all(folders.map(async folder => ServerProcess.start(redisCommand(program!, '--cluster-enabled', 'yes', '--dir', folder))));
	t.teardown(async () => Promise.all(nodes.map(async node => node.stop())));
	const [first, second] = nodes.map(({port}) => port) as [number, number];
	await command(first, 'CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
	await command(second, 'CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
	await command(first, 'CLUSTER', 'MEET', '127.0.0.1', String(second));
	await until(async () => {
		const states = await Promise.all([first, second].map(async port => command(port, 'CLUSTER', 'INFO')));
		return states.every(state => /cluster_state:ok[\s\S]*cluster_known_nodes:2/v.test(String(state)));
	});
	const stores = ['n1', 'n12'].map(cacheName => new RedisStore({cacheName, connectionTimeout: 20_000, clientOptions: {rootNodes: [{url: `redis://127.0.0.1:${first}`}]}}));
	await checkStore(t, stores[0]!, stores[1]!);
	await stores[0]!.set('key', Buffer.from('one'), entry);
	// The key `n1::key` is on the second node.
	await nodes[1]!.suspend();
	const brief = new RedisStore({
		cacheName: 'n1', connectionTimeout: 3000, commandTimeout: 1000, clientOptions: {rootNodes: [{url: `redis://127.0.0.1:${first}`}]},
	});
	await t.throwsAsync(async () => listed(brief));
	// It is still away.
	nodes[1]!.resume();
	t.deepEqual(await listed(brief), ['key']);
	for (const store of [...stores, brief]) {
		await store.close();
	}
});

testRedis('redis sentinel: the sentinel finds the master, even after the master was restarted', async t => {
	const folder = processFolder();
	const main = await ServerProcess.start(redisCommand(program!));
	const file = join(folder, 'sentinel.conf');
	await fs.writeFile(file, `sentinel monitor mymaster 127.0.0.1 ${main.port} 1\nsentinel down-after-milliseconds mymaster 60000\n`);
	const sentinel = await ServerProcess.start({
		command: program!,
		args: port => [file, '--sentinel', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
	});
	t.teardown(async () => Promise.all([main.stop(), sentinel.stop()]));
	const [store, other] = ['n1', 'n12'].map(cacheName => new RedisStore({
		cacheName,
		// A sentinel takes a second and more to find its master, by its own pace.
		connectionTimeout: 4000,
		commandTimeout: 1000,
		clientOptions: {name: 'mymaster', sentinelRootNodes: [{host: '127.0.0.1', port: sentinel.port}]},
	})) as [RedisStore, RedisStore];
	await checkStore(t, store, other);

	await main.stop();
	await t.throwsAsync(async () => store.set('key', Buffer.from('one'), entry));
	await main.start();
	await until(async () => {
		try {
			await store.set('key', Buffer.from('two'), entry);
			return true;
		} catch {
			return false;
		}
	});
	t.is(textOf(await store.get('key')), 'two');
	await store.close();
	await other.close();
});

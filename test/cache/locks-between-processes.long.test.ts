import {fork, type ChildProcess} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {getCache, type CacheSettings} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {startDynalite, variablesOf} from '../helpers/dynamodb-server.ts';
import {
	mongoMissing,
	reportServer,
	startMongo,
	startRedis,
} from '../helpers/servers.ts';
import {settle} from '../helpers/gate.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

type Result = {readonly bodies: readonly string[]; readonly sent: number; readonly reasons: readonly string[]};

const temporaryFile = (t: ExecutionContext): string => path.join(testFolder(t), 'cache');

async function startCaller(settings: CacheSettings, url: string, count: number): Promise<ChildProcess> {
	const child = fork(new URL('lock-caller.ts', import.meta.url), [JSON.stringify(settings), url, String(count)], {
		execArgv: ['--disable-warning=ExperimentalWarning'],
		env: {...process.env, ...dynamoEnvironment},
	});
	await once(child, 'message');
	return child;
}

async function ask(child: ChildProcess): Promise<Result> {
	const results = once(child, 'message');
	child.send('go');
	return (await results)[0] as Result;
}

// Before the first test: AVA wants all of them declared at once.
const redis = await startRedis();
const mongo = await startMongo();
const dynamo = await startDynalite();
reportServer(test, 'locks on redis', redis && '`redis-server`', '`redis-server` on the PATH');
reportServer(test, 'locks on mongodb', mongo?.version, mongoMissing);
reportServer(test, 'locks on dynamodb', 'dynalite', 'dynalite');
const dynamoEnvironment = variablesOf(dynamo);
test.after.always(async () => {
	await redis?.stop();
	await mongo?.stop();
	await dynamo.stop();
});

const stores: ReadonlyArray<readonly [name: string, settings: (t: ExecutionContext) => CacheSettings]> = [
	['sqlite', t => ({store: 'sqlite', cacheName: temporaryFile(t)})],
	['filesystem', t => ({store: 'filesystem', cacheName: temporaryFile(t)})],
	...(redis === undefined ? [] : [['redis', () => ({store: `redis://127.0.0.1:${redis.port}` as const, lock: true})] as const]),
	...(mongo === undefined ? [] : [['mongodb', () => ({store: mongo.url as `mongodb:${string}`, cacheName: randomUUID(), lock: true})] as const]),
	['dynamodb', () => ({store: 'dynamodb', cacheName: randomUUID(), lock: true})],
];

for (const [name, settingsOf] of stores) {
	test.serial(`4 processes with a cold cache on ${name} and 50 callers each send one request`, async t => {
		await using origin = await Origin.start((_request, response) => {
			setTimeout(() => {
				response.end(`answer ${origin.count}`);
			}, 100);
		});
		// A busy machine must not make a slow store of one that is none.
		const settings: CacheSettings = {...settingsOf(t), storeTimeout: 20_000};
		const children = await Promise.all(Array.from({length: 4}, async () => startCaller(settings, origin.url, 50)));
		const results = await Promise.all(children.map(async child => ask(child)));
		t.deepEqual(results.flatMap(({bodies}) => bodies), Array.from({length: 4}, () => 'answer 1'));
		t.is(results.reduce((total, {sent}) => total + sent, 0), 1);
		t.is(origin.count, 1);
	});
}

/** An origin that does not answer the first request. */
async function startSilentOrigin() {
	const asked = Promise.withResolvers<void>();
	const origin = await Origin.start((_request, response) => {
		if (origin.count === 1) {
			asked.resolve();
		} else {
			response.end(`answer ${origin.count}`);
		}
	});
	return {origin, asked: asked.promise};
}

async function kill(child: ChildProcess): Promise<void> {
	child.kill('SIGKILL');
	await once(child, 'exit');
}

for (const store of ['sqlite', 'filesystem'] as const) {
	test.serial(`a process that is killed while it sends a request does not block the others (${store})`, async t => {
		const {origin, asked} = await startSilentOrigin();
		await using _origin = origin;
		const settings = {store, cacheName: temporaryFile(t)};
		const child = await startCaller(settings, origin.url, 1);
		child.send('go');
		await asked;
		const clock = standClock(t);
		const {client} = createClient({...settings, now: () => Date.now()});
		let body: string | undefined;
		const waiting = (async () => {
			({body} = await client(origin.url));
		})();
		const look = async (): Promise<void> => {
			await settle();
			clock.advance(100);
			await settle();
		};

		await look();
		await look();
		t.is(body, undefined, 'the other process lives');
		await kill(child);
		// A lock lasts for 10 seconds, and the wait for it as well: of these, less than 1 may pass.
		for (const _look of [1, 2, 3, 4, 5, 6, 7, 8]) {
			await look();
		}

		await waiting;
		t.is(body, 'answer 2');
		t.is(origin.count, 2);
		await getCache(client).close();
	});

	test.serial(`if a process is killed while it sends a request, exactly one of the waiting processes sends it (${store})`, async t => {
		const {origin, asked} = await startSilentOrigin();
		await using _origin = origin;
		const settings: CacheSettings = {store, cacheName: temporaryFile(t), storeTimeout: 20_000};
		const [first, ...others] = await Promise.all(Array.from({length: 4}, async () => startCaller(settings, origin.url, 20)));
		first!.send('go');
		await asked;
		const waiting = others.map(async child => ask(child));
		await settle();
		t.is(origin.count, 1);
		await kill(first!);
		const results = await Promise.all(waiting);
		t.deepEqual(results.flatMap(({bodies}) => bodies), ['answer 2', 'answer 2', 'answer 2']);
		t.is(origin.count, 2);
	});

	for (const [ending, title] of [['abort', 'has aborted its request and closed its cache'], ['close', 'closes its cache while it asks'], ['exit', 'exits while it asks']] as const) {
		test.serial(`a process that ${title} does not block the others (${store})`, async t => {
			const {origin, asked} = await startSilentOrigin();
			await using _origin = origin;
			const settings = {store, cacheName: temporaryFile(t)};
			const child = fork(new URL('lock-leaver.ts', import.meta.url), [JSON.stringify(settings), origin.url], {execArgv: ['--disable-warning=ExperimentalWarning']});
			t.teardown(() => {
				child.kill('SIGKILL');
			});
			await once(child, 'message');
			await asked;
			const left = once(child, ending === 'exit' ? 'exit' : 'message');
			child.send(ending);
			await left;
			// A wait for the lock would never end.
			standClock(t);
			const {client} = createClient({...settings, now: () => Date.now()});
			t.is((await client(origin.url)).body, 'answer 2');
			await getCache(client).close();
		});
	}
}

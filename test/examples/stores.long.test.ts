import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {startDynalite, variablesOf} from '../helpers/dynamodb-server.ts';
import {mongoJavaServer, redisServer} from '../helpers/adapter-servers.ts';
import {Origin} from '../helpers/origin.ts';
import {ServerProcess} from '../helpers/server-process.ts';
import {
	findRedis,
	mongoMissing,
	redisCommand,
	startMongo,
} from '../helpers/servers.ts';
import {findPackage} from '../stores/adapters/packages.ts';
import {byName} from './programs.ts';
import {createFolder, runNode} from './run-node.ts';

const redis = await findRedis();
const mongo = await startMongo();
const redisAlone = await redisServer();
const mongoAlone = await mongoJavaServer();

const examples = path.resolve(import.meta.dirname, '../../examples');

type RunOptions = {
	readonly server?: string;
	readonly variables?: Record<string, string>;
	readonly folder?: string;

	/** A module that Node.js imports before. */
	readonly preload?: string;
};

async function run(t: ExecutionContext, name: string, {server, variables, folder, preload}: RunOptions = {}): Promise<string[]> {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const {stdout, stderr} = await runNode([...byName, ...preload === undefined ? [] : ['--import', preload], path.join(examples, `${name}.ts`), origin.url, ...server === undefined ? [] : [server]], folder ?? await createFolder(t), variables);
	t.is(stderr, '');
	return stdout.trimEnd().split('\n');
}

test.after.always(async () => {
	await mongo?.stop();
});

const missThenHit = ['200 false miss', '200 true fresh'];

for (const name of ['sqlite', 'filesystem']) {
	test(`examples/${name}.ts stores a response and lists it`, async t => {
		// Where `useTemp` leads.
		const folder = await createFolder(t);
		const [first, entry, total, ...rest] = await run(t, name, {folder, variables: Object.fromEntries(['TMPDIR', 'TMP', 'TEMP'].map(variable => [variable, folder]))});
		t.deepEqual([first, rest], ['200 false miss', []]);
		t.regex(entry!, /got-cache/v);
		t.regex(total!, /^1 responses, \d+ bytes$/v);
	});
}

test('examples/dynamodb.ts is a miss, then a hit', async t => {
	await using server = await startDynalite();
	t.deepEqual(await run(t, 'dynamodb', {variables: variablesOf(server)}), missThenHit);
});

if (redis === undefined) {
	test('examples/redis.ts is not tested, as there is no redis-server on the PATH', t => {
		t.not(process.env.CI, 'true');
	});
} else {
	test('examples/redis.ts is a miss, then a hit', async t => {
		await using server = await ServerProcess.start(redisCommand(redis));
		t.deepEqual(await run(t, 'redis', {server: `redis://127.0.0.1:${server.port}`}), missThenHit);
	});
}

for (const name of ['mongodb', 'gridfs']) {
	if (mongo === undefined) {
		test(`examples/${name}.ts is not tested, as there is no ${mongoMissing}`, t => {
			t.not(process.env.CI, 'true');
		});
	} else {
		test(`examples/${name}.ts is a miss, then a hit`, async t => {
			t.deepEqual(await run(t, name, {server: mongo.url}), missThenHit);
		});
	}
}

const beside = [...missThenHit, '0 Ada'];

test('examples/existing-keyv-file.ts is a miss, then a hit, and keeps the application\'s own entry', async t => {
	t.deepEqual(await run(t, 'existing-keyv-file'), beside);
});

if (findPackage('@keyv/sqlite', 'test/adapters') === undefined) {
	test('examples/existing-keyv-sqlite.ts is not tested, as there is no `@keyv/sqlite` in `test/adapters`: `npm ci` there installs it', t => {
		t.not(process.env.CI, 'true');
	});
} else {
	test('examples/existing-keyv-sqlite.ts is a miss, then a hit, and keeps the application\'s own entry', async t => {
		t.deepEqual(await run(t, 'existing-keyv-sqlite', {preload: new URL('../helpers/sqlite-adapter.ts', import.meta.url).href}), beside);
	});
}

const servers = [['redis', redisAlone, 'redis'], ['mongo', mongoAlone, 'mongodb']] as const;
for (const [name, found, scheme] of servers) {
	if ('missing' in found) {
		test(`examples/existing-keyv-${name}.ts is not tested, as there is no ${found.missing}`, t => {
			t.not(process.env.CI, 'true');
		});
	} else {
		test(`examples/existing-keyv-${name}.ts is a miss, then a hit, and keeps the application's own entry`, async t => {
			await using server = await ServerProcess.start(found.command);
			t.deepEqual(await run(t, `existing-keyv-${name}`, {server: `${scheme}://127.0.0.1:${server.port}`}), beside);
		});
	}
}

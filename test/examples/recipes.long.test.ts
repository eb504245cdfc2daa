import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {startDynalite, variablesOf} from '../helpers/dynamodb-server.ts';
import {Origin} from '../helpers/origin.ts';
import {ServerProcess} from '../helpers/server-process.ts';
import {findRedis, redisCommand} from '../helpers/servers.ts';
import {install, place} from '../runners/installation.ts';
import {
	isShown,
	pathOf,
	runProgram,
	shownOutputs,
} from './programs.ts';
import {createFolder, runNode} from './run-node.ts';

const redis = await findRedis();

/** Says whom it answers, and how often it was asked. */
async function startOrigin(): Promise<Origin> {
	const origin = await Origin.start((request, response) => {
		response.end(`answer ${origin.count} for ${String(request.headers['x-tenant'] ?? 'everyone')}`);
	});
	return origin;
}

if (redis === undefined) {
	test('redis-tenants.ts is not tested, as there is no redis-server on the PATH', t => {
		t.not(process.env.CI, 'true');
	});
} else {
	test('redis-tenants.ts shares no response among tenants, and clears one without the others', async t => {
		await using server = await ServerProcess.start(redisCommand(redis));
		await using origin = await startOrigin();
		const output = await runProgram(t, 'redis-tenants.ts', [origin.url, `redis://127.0.0.1:${server.port}`]);
		isShown(t, output, shownOutputs('redis-tenants.ts')[0]);
		t.is(origin.count, 2);
	});
}

test('lambda.ts has written everything when its handler is done, or by waitUntil', async t => {
	await using server = await startDynalite();
	await using origin = await startOrigin();
	const variables = variablesOf(server);
	isShown(t, await runProgram(t, 'lambda.ts', [origin.url], {variables}), shownOutputs('lambda.ts')[0]);
	t.is(origin.count, 1);

	// Another instance of the function.
	t.regex(await runProgram(t, 'lambda.ts', [origin.url], {variables}), /^(?:\{\n[^\}]+'x-cache': 'fresh'[^\}]*\}[^\}]*\}\n){2}$/v);
	t.is(origin.count, 1);
});

test('nest-provider.ts gives a service of NestJS its client, and closes the cache with the application', async t => {
	// As for a user, all lies in one folder; what is installed is kept from run to run.
	const folder = path.join(place, 'nest');
	const problem = await install(folder, {
		'@nestjs/common': '^11', '@nestjs/core': '^11', 'reflect-metadata': '^0.2.2', rxjs: '^7',
	});
	t.is(problem, undefined);
	const program = path.join(folder, 'program');
	await fs.mkdir(program, {recursive: true});
	await fs.writeFile(path.join(program, 'package.json'), '{"type": "module"}');
	for (const name of ['nest-provider.ts', 'nest-main.js']) {
		await fs.copyFile(pathOf(name), path.join(program, name));
	}

	await using origin = await startOrigin();
	const working = await createFolder(t);
	const run = async () => runNode(['--import', new URL('by-name.ts', import.meta.url).href, path.join(program, 'nest-main.js'), origin.url], working);
	const {stdout, stderr, code} = await run();
	t.is(stderr, '');
	t.is(code, 0);
	isShown(t, stdout, shownOutputs('nest-provider.ts')[0]);

	// It was written before the application ended.
	t.is((await run()).stdout, 'fresh fresh\n');
	t.is(origin.count, 1);
});

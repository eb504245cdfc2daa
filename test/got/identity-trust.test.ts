import {Buffer} from 'node:buffer';
import {readdirSync, readFileSync} from 'node:fs';
import https, {
	Agent,
	globalAgent,
	request as sendHttps,
} from 'node:https';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import tls from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import type {OptionsInit} from 'got';
import {HttpsProxyAgent} from 'hpagent';
import {
	cacheInfo,
	explain,
	getCache,
	HttpCache,
	SettingError,
} from '../../source/index.ts';
import {runNode} from '../examples/run-node.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {startTlsOrigin} from '../helpers/tls-origin.ts';
import {startProxy} from '../helpers/proxy.ts';
import {cert, key} from '../helpers/certificates.ts';
import {modes} from '../helpers/modes.ts';

/** An origin whose certificate is not trusted by default, and that counts its responses. */
async function startOrigin(t: ExecutionContext, before: () => Promise<void> = async () => {}): Promise<{readonly url: string; readonly answers: () => number}> {
	let count = 0;
	const url = await startTlsOrigin(t, {cert, key}, (_request, response) => {
		count++;
		const body = `answer ${count}`;
		void before().then(() => {
			response.writeHead(200, {'cache-control': 'max-age=600'});
			response.end(body);
		});
	});
	return {url, answers: () => count};
}

class Tunnel extends Agent {}

const lax = {rejectUnauthorized: false} as const;
const strict: OptionsInit = {https: {certificateAuthority: cert}};

/** Places of settings that accept any certificate. */
const sources: ReadonlyArray<readonly [source: string, options: OptionsInit | ((proxy: string) => OptionsInit)]> = [
	['the request', {https: lax}],
	['an agent', {agent: {https: new Agent(lax)}}],
	['an agent with keepAlive', {agent: {https: new Agent({...lax, keepAlive: true})}}],
	['an agent of another class', {agent: {https: new Tunnel(lax)}}],
	['a proxy\'s agent', proxy => ({agent: {https: new HttpsProxyAgent({proxy, ...lax})}})],
	['an agent, for HTTP/2', {http2: true, https: lax}],
	['a hook', {
		hooks: {
			beforeRequest: [options => {
				options.https = lax;
			}],
		},
	}],
	['a custom `checkServerIdentity`', {https: {certificateAuthority: cert, checkServerIdentity: () => undefined}}],
];

for (const [name, instance] of majors) {
	for (const [mode, settings] of modes) {
		for (const [source, given] of sources) {
			// One after the other: a server closes connections that are idle for five seconds.
			test.serial(`${name}, ${mode}: a response with lax TLS settings of ${source} answers no request with strict ones, and vice versa`, async t => {
				const {url, answers} = await startOrigin(t);
				const options = (typeof given === 'function' ? given((await startProxy(t)).url) : given) as object;
				const {client} = createClient(settings, instance);
				const laxly = client.extend(options);
				const strictly = client.extend(strict as object);
				for (const [where, first, second] of [['/1', laxly, strictly], ['/2', strictly, laxly]] as const) {
					const before = answers();
					const {body} = await first(url + where);
					t.is((await first(url + where)).body, body);
					t.is(await readStream(first.stream(url + where)), body);
					t.is(answers(), before + 1);

					// By default, the certificate is not trusted.
					await t.throwsAsync(client(url + where), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
					await t.throwsAsync(readStream(client.stream(url + where)), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
					t.is((await client(url + where, {context: {cache: {onlyIfCached: true}}, throwHttpErrors: false})).statusCode, 504);

					const other = await second(url + where);
					t.false(other.isFromCache);
					t.not(other.body, body);
					t.is(answers(), before + 2);
					t.is(await readStream(second.stream(url + where)), other.body);
					t.is((await first(url + where)).body, body);
					t.is(answers(), before + 2);
				}
			});
		}

		test(`${name}, ${mode}: a request waits for no other with laxer or stricter TLS settings`, async t => {
			for (const order of [0, 1]) {
				const gate = Promise.withResolvers<void>();
				const {url, answers} = await startOrigin(t, async () => gate.promise);
				const {client} = createClient({...settings, storeTimeout: 5000}, instance);
				const laxly = client.extend({https: lax});
				const strictly = client.extend(strict as object);
				const leaders = order === 0 ? [laxly, strictly] : [strictly, laxly];
				const asked = leaders.flatMap(leader => [leader(url), leader(url)]);
				const streamed = leaders.map(async leader => readStream(leader.stream(url)));
				await t.throwsAsync(client(url), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
				while (answers() < 2) {
					await delay(5);
				}

				gate.resolve();
				const bodies = (await Promise.all(asked)).map(({body}) => body);
				t.is(bodies[0], bodies[1]);
				t.is(bodies[2], bodies[3]);
				t.not(bodies[0], bodies[2]);
				t.deepEqual(await Promise.all(streamed), [bodies[0]!, bodies[2]!]);
				t.is(answers(), 2);
			}
		});
	}

	test.serial(`${name}: the TLS options of Node's global agent are part of the key`, async t => {
		const {url, answers} = await startOrigin(t);
		const {client} = createClient({}, instance);
		const shared = globalAgent.options;
		t.teardown(() => {
			delete shared.rejectUnauthorized;
			delete shared.ca;
		});
		shared.rejectUnauthorized = false;
		t.is(await client(url).text(), 'answer 1');
		t.true((await client(url)).isFromCache);
		delete shared.rejectUnauthorized;
		globalAgent.destroy();
		await t.throwsAsync(client(url), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
		shared.ca = cert;
		t.is(await client(url).text(), 'answer 2');
		t.is(await client(url, strict as object).text(), 'answer 2');
		delete shared.ca;
		globalAgent.destroy();
		await t.throwsAsync(client(url), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
		t.is(answers(), 2);

		// Another may take its place.
		https.globalAgent = new Agent(lax);
		t.teardown(() => {
			https.globalAgent = globalAgent;
		});
		t.is(await client(url).text(), 'answer 1');
		t.is(await client(`${url}/other`).text(), 'answer 3');
		https.globalAgent = globalAgent;
		await t.throwsAsync(client(`${url}/other`), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
	});

	test(`${name}: requests with equal TLS settings share responses, in whatever form the settings are given`, async t => {
		const {url, answers} = await startOrigin(t);
		const {url: proxy} = await startProxy(t);
		const {client} = createClient({}, instance);
		await client(url, strict as object);
		const equal: readonly OptionsInit[] = [
			{https: {certificateAuthority: Buffer.from(cert)}},
			{https: {certificateAuthority: [cert]}},
			{
				https: {
					certificateAuthority: `${cert}\n`, rejectUnauthorized: true, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', checkServerIdentity: tls.checkServerIdentity,
				},
			},
			{https: {certificateAuthority: cert, key}},
			{https: {certificateAuthority: cert, ciphers: tls.DEFAULT_CIPHERS, ecdhCurve: tls.DEFAULT_ECDH_CURVE}},
			{agent: {https: new Agent({ca: cert})}},
			{agent: {https: new Agent({ca: [Buffer.from(cert)], keepAlive: true, maxSockets: 1})}},
			{agent: {https: new Tunnel({ca: cert})}},
			{agent: {https: new HttpsProxyAgent({proxy, ca: cert})}},
			{agent: {https: new HttpsProxyAgent({proxy, ca: cert})}},
			{agent: {https: new Agent({rejectUnauthorized: true})}, ...strict},
			{http2: true, ...strict},
		];
		for (const [index, options] of equal.entries()) {
			t.true((await client(url, options as object)).isFromCache, String(index));
		}

		t.is(answers(), 1);
	});

	test(`${name}: requests with a client certificate share responses only with those that have the same one`, async t => {
		const {url, answers} = await startOrigin(t);
		const {client} = createClient({partitionBy: false}, instance);
		const known = client.extend(strict as object);
		t.is(await known(url, {https: {certificate: cert, key}}).text(), 'answer 1');
		t.is(await known(url).text(), 'answer 2');
		t.is(await known(url, {https: {certificate: Buffer.from(cert), key: Buffer.from(key)}}).text(), 'answer 1');
		t.is(await known(url, {agent: {https: new Agent({cert, key})}}).text(), 'answer 1');
		t.is(answers(), 2);
	});

	test(`${name}: TLS settings in user code count as the default, unless the setting \`trust\` names them`, async t => {
		const {url, answers} = await startOrigin(t);
		const {client} = createClient({}, instance);
		const connect = (options: tls.ConnectionOptions) => tls.connect({...options, ...lax});
		const own: readonly OptionsInit[] = [
			{createConnection: connect as never},
			{request: ((target: URL, options: object, callback: never) => sendHttps(target, {...options, ...lax}, callback)) as never},
		];
		for (const [index, options] of own.entries()) {
			const where = `${url}/${index}`;
			const asked = async (trust?: string): Promise<string> => client(where, {...options, ...(trust !== undefined && {context: {cache: {trust}}})} as object).text();
			const unnamed = await asked();
			t.is(await client(where).text(), unnamed);
			const named = await asked('tunnel');
			t.not(named, unnamed);
			t.is(await asked('tunnel'), named);
			t.not(await asked('other'), named);
			t.is(await client(where, {context: {cache: {trust: 'tunnel'}}}).text(), unnamed);
		}

		t.is(answers(), 6);
	});

	test(`${name}: explain and a hit without a request of Got use the TLS settings that would be sent`, async t => {
		const {url} = await startOrigin(t);
		const {client} = createClient({}, instance);
		for (const options of [{https: lax}, strict, {agent: {https: new Agent(lax)}}, {http2: true, ...strict}, {https: {...lax, serverName: 'localhost'}}] as readonly OptionsInit[]) {
			const own = client.extend(options as object);
			const {key: sent} = cacheInfo(await own(url));
			const hit = await own(url);
			t.deepEqual([cacheInfo(hit).reason, cacheInfo(hit).key], ['fresh', sent]);
			t.is((await explain(own, {url})).key, sent);
			t.is((await explain(own, {url})).reason, 'fresh');
		}

		t.is((await explain(client, {url})).reason, 'miss');
	});

	test(`${name}: a recording is replayed with any TLS settings`, async t => {
		await using folder = await temporaryFolder();
		const {url} = await startOrigin(t);
		const settings = {store: 'sqlite', cacheName: path.join(folder.path, 'tape')} as const;
		const recorder = createClient({...settings, mode: 'record'}, instance).client;
		const {body} = await recorder(url, {https: {...lax, certificate: cert, key}});
		await getCache(recorder).close();
		const player = createClient({...settings, mode: 'replay'}, instance).client;
		for (const options of [{}, {https: lax}, strict, {https: {checkServerIdentity: () => undefined}}, {http2: true}] as readonly OptionsInit[]) {
			t.is((await player(url, options as object)).body, body);
			t.is((await explain(player.extend(options as object), {url})).reason, 'fresh');
		}

		await getCache(player).close();
	});
}

test('a response with non-default TLS settings is found and deleted by its URL, and by its request', async t => {
	const {url} = await startOrigin(t);
	const {client} = createClient();
	const cache = getCache(client);
	const own = {headers: {authorization: 'one'}};
	const fill = async (): Promise<void> => {
		for (const options of [{https: lax}, strict] as readonly OptionsInit[]) {
			await client(url, options as object);
			await client(url, {...options, ...own} as object);
		}
	};

	await fill();
	t.true(await cache.contains({url}));
	t.true(await cache.contains({request: {url}}));
	t.true(await cache.contains({request: {url, ...own}}));
	t.false(await cache.contains({request: {url, headers: {authorization: 'two'}}}));
	t.is(await cache.count({urls: [url]}), 2);
	t.is(await cache.delete({urls: [url]}), 2);
	t.false(await cache.contains({url}));
	t.is(await cache.delete({requests: [{url, ...own}]}), 2);
	t.is(await cache.count(), 0);

	await fill();
	t.is(await cache.expire({requests: [{url}]}), 2);
	t.is(await cache.count({valid: true}), 2);
});

test('a response with lax TLS settings keeps them in an archive', async t => {
	const {url, answers} = await startOrigin(t);
	const from = createClient();
	for (const options of [{https: lax}, strict] as readonly OptionsInit[]) {
		await from.client(url, options as object);
	}

	const har = await getCache(from.client).toHar();
	const {client} = createClient();
	t.deepEqual(await getCache(client).fromHar(har), {saved: 2, skipped: []});
	t.is((await client(url, {https: lax})).body, 'answer 1');
	t.is((await client(url, strict as object)).body, 'answer 2');
	await t.throwsAsync(client(url), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
	t.is(answers(), 2);

	const copy = new HttpCache({store: 'memory', now: from.clock.now});
	await copy.update(getCache(from.client));
	t.is(await copy.count({urls: [url]}), 2);
});

test('a response with lax TLS settings is not served instead of an error to a request with stricter ones', async t => {
	const {url} = await startOrigin(t);
	const {client, clock} = createClient({staleIfError: true, staleWhileRevalidate: true});
	await client(url, {https: lax});
	clock.advance(400);
	await t.throwsAsync(client(url), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
	await t.throwsAsync(readStream(client.stream(url)), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
	t.is((await client(url, {https: lax})).body, 'answer 1');
});

test('an unsafe request invalidates responses with any TLS settings', async t => {
	const {url, answers} = await startOrigin(t);
	const {client} = createClient(byOrigin);
	await client(url, {https: lax});
	await client(url, strict as object);
	await client.post(url, strict as object);
	t.is(answers(), 3);
	t.false((await client(url, {https: lax})).isFromCache);
	t.false((await client(url, strict as object)).isFromCache);
});

test('an invalid value of `trust` is a `settingError` event', async t => {
	for (const trust of ['', 1, null, {}, () => {}]) {
		t.throws(() => createClient({trust} as never), {instanceOf: SettingError, message: /trust/v});
	}

	const {client} = createClient();
	await t.throwsAsync(client('https://127.0.0.1:1', {context: {cache: {trust: ''}}}), {message: /context\.cache\.trust/v});
});

test('client certificates and keys are neither stored nor archived nor part of events', async t => {
	await using folder = await temporaryFolder();
	const {url} = await startOrigin(t);
	const {client} = createClient({
		store: 'sqlite', cacheName: path.join(folder.path, 'cache'), cacheStatus: {key: true}, trust: 'NAME-OF-TRUST',
	});
	const secrets = {certificate: cert, key: [{pem: key, passphrase: 'PASSPHRASE'}]};
	const response = await client(url, {https: {...lax, ...secrets, checkServerIdentity: () => undefined}});
	const shown = JSON.stringify([response.headers, cacheInfo(response), await explain(client.extend({https: secrets}), {url}), await getCache(client).toHar()]);
	await getCache(client).idle();
	const bytes = Buffer.concat(readdirSync(folder.path).map(file => readFileSync(path.join(folder.path, file))));
	t.true(bytes.includes('answer 1'));
	const markers = ['PASSPHRASE', 'PRIVATE KEY', key.split('\n', 2)[1]!, 'CERTIFICATE', cert.split('\n', 2)[1]!, 'NAME-OF-TRUST', 'checkServerIdentity'];
	t.deepEqual(markers.filter(marker => bytes.includes(marker) || shown.includes(marker)), []);
	await getCache(client).close();
});

const program = `
	import process from 'node:process';
	import https from 'node:https';
	import tls from 'node:tls';
	import {readFileSync} from 'node:fs';
	import got from 'got';
	import {cacheHooks, cacheInfo, getCache} from './source/index.ts';

	const [url, cacheName, what] = process.argv.slice(1);
	const warnings = [];
	process.on('warning', ({code, message}) => code === 'GOT_CACHE_UNKNOWN_TRUST' && warnings.push(message));
	const ca = readFileSync('test/fixtures/localhost-cert.pem');
	const client = got.extend({retry: {limit: 0}}, cacheHooks({store: 'sqlite', cacheName, expireAfter: '1h'}));
	const checkServerIdentity = () => undefined;
	const bare = (target, {method, headers}, callback) => https.request(target, {method, headers}, callback);
	const ways = {
		plain: {},
		bare: {request: bare},
		strict: {https: {certificateAuthority: ca}},
		check: {https: {certificateAuthority: ca, checkServerIdentity}},
		named: {https: {certificateAuthority: ca, checkServerIdentity}, context: {cache: {trust: 'checked'}}},
		connected: {createConnection: options => tls.connect({...options, rejectUnauthorized: false})},
		everything: {https: {certificateAuthority: ca, checkServerIdentity}, request: bare},
	};
	const answers = [];
	for (const way of what.split(',')) {
		try {
			const response = await client(url, ways[way]);
			answers.push(cacheInfo(response).reason);
		} catch (error) {
			answers.push(error.code);
		}
	}

	await getCache(client).close();
	await new Promise(setImmediate);
	console.log(JSON.stringify({answers, warnings: warnings.length}));
`;

const root = new URL('../..', import.meta.url).pathname;

async function inProcess(cacheName: string, url: string, what: string, variables: NodeJS.ProcessEnv = {}): Promise<unknown> {
	const {stdout, stderr, code} = await runNode(['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', program, url, cacheName, what], root, variables);
	return code === 0 ? JSON.parse(stdout) : stderr;
}

const unverified = Object.fromEntries([['NODE_TLS_REJECT_UNAUTHORIZED', '0'], ['NODE_NO_WARNINGS', '1']]);

test('a response of a process without verification is not served in a process with verification', async t => {
	await using folder = await temporaryFolder();
	const {url, answers} = await startOrigin(t);
	const cacheName = path.join(folder.path, 'cache');
	const run = async (what: string, variables?: NodeJS.ProcessEnv): Promise<unknown> => ((await inProcess(cacheName, url, what, variables)) as {answers?: unknown}).answers;
	t.deepEqual(await run('bare,bare', unverified), ['miss', 'fresh']);
	t.deepEqual(await run('bare,plain,strict', undefined), ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'miss']);
	t.deepEqual(await run('bare', unverified), ['fresh']);
	t.is(answers(), 2);
});

test('responses that a `checkServerIdentity` function accepted are shared between processes only if the function has a name', async t => {
	await using folder = await temporaryFolder();
	const {url, answers} = await startOrigin(t);
	const cacheName = path.join(folder.path, 'cache');
	t.deepEqual(await inProcess(cacheName, url, 'check,check,named,named,strict'), {answers: ['miss', 'fresh', 'miss', 'fresh', 'miss'], warnings: 1});
	t.deepEqual(await inProcess(cacheName, url, 'check,named,strict'), {answers: ['miss', 'fresh', 'fresh'], warnings: 1});
	t.is(answers(), 4);
});

test('one process warning reports TLS settings that cannot be read', async t => {
	await using folder = await temporaryFolder();
	const {url} = await startOrigin(t);
	const cacheName = path.join(folder.path, 'cache');
	t.deepEqual(await inProcess(cacheName, url, 'strict,strict,named'), {answers: ['miss', 'fresh', 'miss'], warnings: 0});
	t.deepEqual(await inProcess(cacheName, url, 'connected,connected,check,everything,everything'), {answers: ['miss', 'fresh', 'miss', 'fresh', 'fresh'], warnings: 1});
});

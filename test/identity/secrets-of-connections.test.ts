import {Buffer} from 'node:buffer';
import {createPrivateKey} from 'node:crypto';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {Agent} from 'node:https';
import net, {type AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import type got from 'got';
import type {ExtendOptions} from 'got';
import {HttpProxyAgent} from 'hpagent';
import {
	cacheInfo,
	explain,
	getCache,
} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {startTlsOrigin} from '../helpers/tls-origin.ts';
import {cert, key} from '../helpers/certificates.ts';
import {findMarkers, markerOf} from './secrets/marker.ts';
import {errorTexts, textOf, Words} from './secrets/words.ts';

const marker = markerOf(1);
const lockedKey = createPrivateKey(key).export({
	type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: marker,
}) as string;

/** Lines of keys and certificates, none of which may be stored or shown. */
const lines = [key, lockedKey, cert].flatMap(pem => pem.split('\n').filter(line => /^[\w+\/=]{40,}$/v.test(line)));

type Connection = readonly [title: string, options: ExtendOptions, failure?: RegExp];

const tls: readonly Connection[] = [
	['a key with a passphrase', {https: {key: lockedKey, certificate: cert, passphrase: marker}}],
	['a list of keys with passphrases', {https: {key: [{pem: lockedKey, passphrase: marker}], certificate: cert}}],
	['a key without a passphrase', {https: {key, certificate: cert}}],
	['an agent', {agent: {https: new Agent({key: lockedKey, cert, passphrase: marker})}}],
	['a pfx that cannot be read', {https: {pfx: Buffer.from(marker), passphrase: marker}}, /pfx|asn1|encoding|pkcs12|not enough data|mac verify/iv],
	['a list of pfx that cannot be read', {https: {pfx: [{buffer: Buffer.from(marker), passphrase: marker}]}}, /pfx|asn1|encoding|pkcs12|not enough data|mac verify/iv],
	['a key that does not fit its passphrase', {https: {key: lockedKey, certificate: cert, passphrase: `not ${marker}`}}, /decrypt|pem|cipher|decoder|asn1/iv],
];

async function check(t: ExecutionContext, url: string, [, options, failure]: Connection, instance: (typeof majors)[number][1]): Promise<void> {
	const store = new Map<string, unknown>();
	const client = createClient({store, serializer: 'json', cacheStatus: {key: true}}, instance).client.extend({https: {rejectUnauthorized: false}}).extend(options) as typeof got;
	const words = new Words(getCache(client));
	words.say(await explain(client, {url}));
	if (failure === undefined) {
		t.is((await client(url)).body, 'answer');
		const response = await client(url);
		t.is(cacheInfo(response).reason, 'fresh');
		words.say(response.headers, cacheInfo(response));
	} else {
		const error = await t.throwsAsync(client(url), {message: failure});
		words.say(errorTexts(error));
	}

	await words.sayStored();
	const all = textOf(store) + words.end();
	t.deepEqual(findMarkers(all), []);
	t.deepEqual(lines.filter(line => all.includes(line)), []);
}

for (const [name, instance] of majors) {
	for (const connection of tls) {
		test(`${name}: ${connection[0]} for TLS is neither stored nor shown`, async t => {
			await check(t, await startTlsOrigin(t, {cert, key}, (_request, response) => {
				response.end('answer');
			}), connection, instance);
		});
	}
}

test('the credentials for a proxy are neither stored nor shown', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const seen: unknown[] = [];
	const proxy = createServer();
	proxy.on('connect', ({headers, url}, socket, head) => {
		seen.push(headers['proxy-authorization']);
		const {hostname, port} = new URL(`http://${url!}`);
		const target = net.connect(Number(port), hostname, () => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			target.write(head);
			target.pipe(socket).pipe(target);
		});
		t.teardown(() => target.destroy());
	});
	proxy.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	t.teardown(() => proxy.close());
	const agent = new HttpProxyAgent({proxy: `http://user:${marker}@127.0.0.1:${(proxy.address() as AddressInfo).port}`});
	await check(t, origin.url, ['a proxy', {agent: {http: agent}}], majors[0]![1]);
	t.deepEqual(seen, [`Basic ${Buffer.from(`user:${marker}`).toString('base64')}`]);
});

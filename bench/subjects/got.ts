import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {findPackageJSON} from 'node:module';
import {Readable} from 'node:stream';
import {pathToFileURL} from 'node:url';
import {createClient} from '@keyv/redis';
import got, {type Got} from 'got';
import {jsonBody} from '../body.ts';
import type {Opened, Place, Subject} from '../types.ts';
import {ask, assertAnswer, reading} from './read.ts';

/** The cheapest answer that Got's own machinery can give. */
export function cannedGot(bytes: number): Got {
	const body = Buffer.from(jsonBody(bytes));
	return got.extend({hooks: {beforeRequest: [() => cannedResponse(body) as never]}});
}

function cannedResponse(body: Uint8Array): object {
	return Object.assign(Readable.from([body]), {statusCode: 200, headers: {'content-type': 'application/json'}, complete: true});
}

export async function timeToFirstByte(client: Got, url: string): Promise<void> {
	const stream = client.stream(url);
	await once(stream, 'readable');
	stream.destroy();
}

/** Reads a stream to its end and keeps nothing of it. */
export async function timeToLastByte(client: Got, url: string, {bytes}: Place): Promise<void> {
	let received = 0;
	for await (const chunk of client.stream(url)) {
		received += (chunk as Uint8Array).length;
	}

	assert.equal(received, bytes);
}

/** A subject that asks for another resource each time, and answers correctly. */
export function asking(place: Place, client: Got, urlOf: (index: number) => string, more: Omit<Opened, 'run'> = {}): Opened {
	return {
		...more,
		run: index => ask(client, urlOf(index), place.read),
		async check() {
			assertAnswer(await ask(client, urlOf(-1), place.read), place);
			await more.check?.();
		},
	};
}

/** So many requests of one resource at the same time, each time of another. */
export async function stampede(client: Got, url: string, read: Place['read']): Promise<unknown[]> {
	return Promise.all(Array.from({length: 50}, () => ask(client, url, read)));
}

type Listening = {
	once(event: string, listener: () => void): unknown;
	on(event: string, listener: () => void): unknown;
	listeners(event: string): readonly unknown[];
};

/**
Got's own cache, which is cacheable-request, takes its listener for errors off by what it gave to `once`, where Keyv 5 keeps another function: each request leaves one, and from the hundredth on a warning as well. By `on` it is found again.
*/
async function keyvWithoutLeak(): Promise<Listening> {
	// Its own Keyv, for it takes no other for one.
	const file = findPackageJSON('keyv', import.meta.resolve('cacheable-request'))!;
	const {default: keyvClass} = await import(new URL('dist/index.js', pathToFileURL(file)).href) as {readonly default: new (options: object) => Listening};
	const keyv = new keyvClass({ // eslint-disable-line new-cap -- A class is what it is.
		store: new Map(), namespace: 'cacheable-request',
	});
	keyv.once = keyv.on;
	return keyv;
}

export const gotSubjects: Readonly<Record<string, Subject>> = {
	async 'plain Got'(place) {
		return reading(place, url => ask(got, url, place.read), {asksOrigin: true});
	},
	async 'plain Got, each its own'(place) {
		return asking(place, got, index => `${place.origin}/${place.bytes}/${index}`);
	},
	async 'plain Got, always the same tag'(place) {
		return asking(place, got, () => `${place.origin}/tagged/${place.bytes}`);
	},
	async 'plain Got, 50 at once'(place) {
		return {run: index => stampede(got, `${place.origin}/${place.bytes}/${index}`, place.read)};
	},
	async 'plain Got, stream'(place) {
		return {run: () => timeToLastByte(got, `${place.origin}/stream/${place.bytes}`, place)};
	},
	async 'plain Got, first byte'(place) {
		return {run: () => timeToFirstByte(got, `${place.origin}/stream/${place.bytes}`)};
	},
	async 'canned Got'(place) {
		const client = cannedGot(place.bytes);
		return reading(place, url => ask(client, url, place.read));
	},
	async 'canned Got after a GET by the driver of Redis'(place) {
		const client = createClient({url: place.redis!});
		await client.connect();
		const key = randomUUID();
		await client.set(key, jsonBody(place.bytes));
		const canned = got.extend({hooks: {beforeRequest: [async () => cannedResponse(Buffer.from((await client.get(key))!)) as never]}});
		return reading(place, url => ask(canned, url, place.read), {close: () => client.close()});
	},
	async 'Got with its own cache'(place) {
		const client = got.extend({cache: new Map()});
		return reading(place, url => ask(client, url, place.read));
	},
	async 'Got with its own cache, its leak mended'(place) {
		const keyv = await keyvWithoutLeak();
		const client = got.extend({cache: keyv as never});
		return reading(place, url => ask(client, url, place.read), {
			async check() {
				assert.ok(keyv.listeners('error').length < 2, 'it leaks');
			},
		});
	},
};

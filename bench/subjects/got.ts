import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {Readable} from 'node:stream';
import got, {type Got} from 'got';
import {jsonBody} from '../body.ts';
import type {Opened, Place, Subject} from '../types.ts';
import {ask, reading} from './read.ts';

/** The cheapest answer that Got's own machinery can give. */
function cannedGot({bytes}: Place): Got {
	const body = Buffer.from(jsonBody(bytes));
	return got.extend({
		hooks: {
			beforeRequest: [() => Object.assign(Readable.from([body]), {statusCode: 200, headers: {'content-type': 'application/json'}, complete: true}) as never],
		},
	});
}

export async function timeToFirstByte(client: Got, url: string): Promise<void> {
	const stream = client.stream(url);
	await once(stream, 'readable');
	stream.destroy();
}

export const gotSubjects: Readonly<Record<string, Subject>> = {
	async 'plain Got'(place) {
		return reading(place, async url => ask(got, url, place.read));
	},
	async 'plain Got, each its own'(place): Promise<Opened> {
		return {run: async index => ask(got, `${place.origin}/${place.bytes}/${index}`, place.read)};
	},
	async 'plain Got, always the same tag'(place): Promise<Opened> {
		return {run: async () => ask(got, `${place.origin}/tagged/${place.bytes}`, place.read)};
	},
	async 'plain Got, stream'(place): Promise<Opened> {
		return {run: async () => ask(got, `${place.origin}/stream/${place.bytes}`, 'stream')};
	},
	async 'plain Got, first byte'(place): Promise<Opened> {
		return {run: async () => timeToFirstByte(got, `${place.origin}/stream/${place.bytes}`)};
	},
	async 'canned Got'(place) {
		const client = cannedGot(place);
		return reading(place, async url => ask(client, url, place.read));
	},
	async 'Got with its own cache'(place) {
		const client = got.extend({cache: new Map()});
		return reading(place, async url => ask(client, url, place.read));
	},
};

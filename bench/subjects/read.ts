import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import type {Got} from 'got';
import {jsonBody} from '../body.ts';
import type {Opened, Place} from '../types.ts';

/** Asks a Got instance in the way that the scenario reads. */
export async function ask(client: Got, url: string, read: Place['read']): Promise<unknown> {
	switch (read) {
		case 'json': {
			return client(url).json();
		}

		case 'text': {
			return client(url).text();
		}

		case 'buffer': {
			return client(url).buffer();
		}

		case 'stream': {
			let bytes = 0;
			for await (const chunk of client.stream(url)) {
				bytes += (chunk as Uint8Array).length;
			}

			return bytes;
		}

		default: {
			return read satisfies never;
		}
	}
}

/** What a correct answer is, however it is read. */
export function assertAnswer(answer: unknown, {bytes, read}: Place): void {
	const body = jsonBody(bytes);
	const expected: unknown = {
		json: () => JSON.parse(body) as unknown, text: () => body, buffer: () => Buffer.from(body), stream: () => bytes,
	}[read]();
	assert.deepEqual(read === 'buffer' ? Buffer.from(answer as Uint8Array) : answer, expected);
}

/** A subject that reads one resource again and again. */
export function reading(place: Place, run: (url: string) => Promise<unknown>): Opened {
	const url = `${place.origin}/${place.bytes}/item`;
	return {
		run: async () => run(url),
		async check() {
			assertAnswer(await run(url), place);
		},
	};
}

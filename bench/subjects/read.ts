import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {basename} from 'node:path';
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
			return Array.fromAsync(client.stream(url));
		}

		default: {
			return read satisfies never;
		}
	}
}

/** Throws where it is not a correct answer, however it was read. */
export function assertAnswer(answer: unknown, {bytes, read}: Place): void {
	const body = jsonBody(bytes);
	switch (read) {
		case 'json': {
			assert.deepEqual(answer, JSON.parse(body));
			break;
		}

		case 'text': {
			assert.equal(answer, body);
			break;
		}

		case 'buffer': {
			assert.ok(answer instanceof Uint8Array);
			assert.equal(Buffer.from(answer).toString(), body);
			break;
		}

		case 'stream': {
			assert.equal(Buffer.concat(answer as Uint8Array[]).toString(), body);
			break;
		}

		default: {
			read satisfies never;
		}
	}
}

/** A path that no other subject asks for. */
export function ownPath({bytes, folder}: Place, name = ''): string {
	return `/${bytes}/item-${basename(folder)}${name}`;
}

/** How often the origin was asked for that path by anybody. */
export async function timesAsked({origin}: Place, path: string): Promise<number> {
	const response = await fetch(`${origin}/asked${path}`);
	return Number(await response.text());
}

type Reading = Omit<Opened, 'run'> & {
	/** Whether the origin is asked each time, which is an error in what should be a hit. Default: `false`. */
	readonly asksOrigin?: boolean;
};

/** A subject that reads one resource again and again. */
export function reading(place: Place, run: (url: string) => Promise<unknown>, {asksOrigin = false, ...more}: Reading = {}): Opened {
	const path = ownPath(place);
	const url = place.origin + path;
	return {
		...more,
		run: () => run(url),
		async check() {
			// The first may be what fills the cache.
			assertAnswer(await run(url), place);
			await more.settle?.();
			const before = await timesAsked(place, path);
			assertAnswer(await run(url), place);
			assertAnswer(await run(url), place);
			assert.equal(await timesAsked(place, path) - before, asksOrigin ? 2 : 0, 'times that the origin was asked for two answers');
			await more.check?.();
		},
	};
}

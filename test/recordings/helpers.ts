import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ExecutionContext} from 'ava';
import got from 'got';
import {
	cacheHooks,
	getCache,
	type CacheSettings,
	type HttpCache,
} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

export type Recorder = {
	readonly origin: Origin;
	readonly folder: string;

	/** Makes a client as a new process would, with an event listener for faults of the store. */
	readonly client: (mode: NonNullable<CacheSettings['mode']>, settings?: CacheSettings) => {readonly client: typeof got; readonly cache: HttpCache; readonly faults: unknown[]};

	/** The files by their names. */
	readonly files: () => Record<string, string>;

	/** Changes the only file whose name matches. */
	readonly edit: (name: RegExp, change: (text: string) => string) => string;
};

/** Returns the text of the chunks of a stream. */
export function textOf(chunks: readonly unknown[]): string {
	return Buffer.concat(chunks as Uint8Array[]).toString();
}

let count = 0;

/** Starts an origin whose responses differ in what differs each time, and a folder for their recordings. */
export async function record(t: ExecutionContext, answer?: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<Recorder> {
	const origin = await Origin.start((request, response, body) => {
		count++;
		response.setHeader('X-Request-Id', `request-${count}`);
		response.setHeader('Date', new Date(Date.UTC(2026, 0, 1) + (count * 1000)).toUTCString());
		if (answer === undefined) {
			response.setHeader('Content-Type', 'application/json');
			response.end(JSON.stringify({path: request.url, method: request.method, body}));
			return;
		}

		answer(request, response, body);
	});
	t.teardown(async () => {
		await origin[Symbol.asyncDispose]();
	});
	const folder = path.join(testFolder(t), 'recordings');
	const files = (): Record<string, string> => Object.fromEntries(fs.readdirSync(folder).map(name => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
	return {
		origin,
		folder,
		client(mode, settings = {}) {
			const client = got.extend({retry: {limit: 0}}, cacheHooks({
				store: 'filesystem', cacheName: folder, mode, ...settings,
			}));
			const cache = getCache(client);
			const faults: unknown[] = [];
			cache.on('storeError', ({error}) => {
				faults.push(error);
			});
			return {client, cache, faults};
		},
		files,
		edit(name, change) {
			const found = Object.keys(files()).filter(file => name.test(file));
			t.is(found.length, 1, `${String(name)} of ${Object.keys(files()).join(', ')}`);
			const file = path.join(folder, found[0]!);
			fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
			return file;
		},
	};
}

import {Buffer} from 'node:buffer';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import {Readable} from 'node:stream';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {isLong} from './random.ts';

const mebibyte = 1_048_576;
const size = (isLong ? 1024 : 128) * mebibyte;
const chunk = Buffer.alloc(65_536);

type Result = {readonly bytes: number; readonly mebibytes: number};

async function read(url: string, kind: 'plain' | 'cached'): Promise<Result> {
	const child = fork(new URL('reader.ts', import.meta.url), [url, kind], {execArgv: ['--disable-warning=ExperimentalWarning']});
	const [result] = await once(child, 'message') as [Result];
	return result;
}

test.serial(`a streamed body of ${size / mebibyte} MiB that is too large to store takes no more memory than with the plain client, and the first byte of another one arrives before the rest is sent`, async t => {
	let first: ServerResponse | undefined;
	await using origin = await Origin.start((request, response) => {
		if (request.url === '/large') {
			Readable.from((function * () {
				for (let sent = 0; sent < size; sent += chunk.length) {
					yield chunk;
				}
			})()).pipe(response);
			return;
		}

		if (request.url === '/first') {
			response.write('first');
			first = response;
			return;
		}

		first!.end('rest');
		response.end();
	});
	const plain = await read(origin.url, 'plain');
	const cached = await read(origin.url, 'cached');
	t.log(`plain: ${Math.round(plain.mebibytes)} MiB; cached: ${Math.round(cached.mebibytes)} MiB`);
	t.is(plain.bytes, size);
	t.is(cached.bytes, size);
	t.true(cached.mebibytes <= plain.mebibytes + 60);
});

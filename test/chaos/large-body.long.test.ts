import {Buffer} from 'node:buffer';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {Readable} from 'node:stream';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {isLong} from './random.ts';

const mebibyte = 1_048_576;
const size = (isLong ? 1024 : 128) * mebibyte;
const chunk = Buffer.alloc(65_536);

type Told = {readonly bytes: number; readonly mebibytes: number; readonly firstByte: number};

async function read(url: string, kind: 'plain' | 'cached'): Promise<Told> {
	const child = fork(new URL('reader.ts', import.meta.url), [url, kind], {execArgv: ['--disable-warning=ExperimentalWarning']});
	const [told] = await once(child, 'message') as [Told];
	return told;
}

test.serial(`a streamed body of ${size / mebibyte} MiB that is too large to store takes the memory and the time of the plain client`, async t => {
	t.timeout(200_000);
	await using origin = await Origin.start((request, response) => {
		if (request.url === '/large') {
			Readable.from((function * () {
				for (let sent = 0; sent < size; sent += chunk.length) {
					yield chunk;
				}
			})()).pipe(response);
			return;
		}

		// So long that what a busy machine adds is little beside it.
		setTimeout(() => {
			response.end('first');
		}, 100);
	});
	const plain = await read(origin.url, 'plain');
	const cached = await read(origin.url, 'cached');
	t.log(`plain: ${Math.round(plain.mebibytes)} MiB, first byte ${plain.firstByte.toFixed(1)} ms; cached: ${Math.round(cached.mebibytes)} MiB, first byte ${cached.firstByte.toFixed(1)} ms`);
	t.is(plain.bytes, size);
	t.is(cached.bytes, size);
	t.true(cached.mebibytes <= plain.mebibytes + 60);
	t.true(cached.firstByte <= 1.1 * plain.firstByte);
});

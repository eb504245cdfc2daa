import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import test from 'ava';
import type {RenderedResponse} from '../../source/exchange/exchange-types.ts';
import {majors} from '../helpers/clients.ts';
import type {ServedResponse} from '../../source/got/served-response.ts';
import {servedAtOnce} from '../../source/got/whole-response.ts';

function rendered(text: string, given?: Record<string, string>): RenderedResponse {
	const headers = given ?? {'content-length': String(Buffer.byteLength(text))};
	return {
		statusCode: 200, statusMessage: 'OK', headers, rawHeaders: Object.entries(headers).flat(), body: Buffer.from(text), fromCache: true,
	};
}

/** Whether a response is one that Got takes at once: those that are not read as streams say so themselves. */
function isWhole(response: ServedResponse): boolean {
	return Object.hasOwn(Object.getPrototypeOf(response) as object, 'toArray');
}

for (const [version, instance] of majors) {
	test(`${version} takes the body at once, and reads no stream`, async t => {
		const response = servedAtOnce(rendered('{"answer":42}'));
		let taken = 0;
		const toArray = response.toArray.bind(response);
		const read = response.read.bind(response);
		Object.assign(response, {
			async toArray() {
				taken++;
				return toArray();
			},
			read(size?: number) {
				t.is(size, 0);
				return read(size) as unknown;
			},
		});
		const client = instance.extend({hooks: {beforeRequest: [() => response as never]}});
		t.deepEqual(await client('https://example.com').json(), {answer: 42});
		t.is(taken, 1);
	});
}

test('one that reads it as a stream gets the body once, and its end', async t => {
	const response = servedAtOnce(rendered('answer'));
	t.true(isWhole(response));
	const ended = once(response, 'end');
	t.is(response.read(0), null);
	t.is(String(response.read()), 'answer');
	t.is(response.read(), null);
	await ended;
	t.true(response.readableEnded);
	t.deepEqual(await response.toArray(), []);
});

test('what tells of its progress, is coded, or of unknown length is a stream', t => {
	t.false(isWhole(servedAtOnce(rendered('a'.repeat(70_000)))));
	t.false(isWhole(servedAtOnce(rendered('', {'content-length': '0'}))));
	t.false(isWhole(servedAtOnce(rendered('answer', {}))));
	t.false(isWhole(servedAtOnce(rendered('answer', {'content-length': '7'}))));
	t.false(isWhole(servedAtOnce(rendered('answer', {'content-length': '6', 'content-encoding': 'gzip'}))));
});

test('what is stored is not handed out', async t => {
	const stored = rendered('answer');
	const [body] = await servedAtOnce(stored).toArray() as Uint8Array[];
	body!.fill(0);
	t.is(String(stored.body), 'answer');
});

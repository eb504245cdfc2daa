import {Buffer} from 'node:buffer';
import test from 'ava';
import {
	bodyBytes,
	bodyLength,
	bodyRange,
	isBody,
	partsOfBody,
	storedResponse,
	storedSize,
} from '../../source/entry/stored-response.ts';
import {checksumOf} from '../../source/cache/stored-values.ts';
import {fc} from '../helpers/fast-check.ts';
import {
	context,
	facts,
	response,
	variants,
} from './serializers/samples.ts';

const parts = fc.array(fc.uint8Array({minLength: 1, maxLength: 20}), {maxLength: 5});

test('a body of several parts has the bytes of its parts', t => {
	t.notThrows(() => {
		fc.assert(fc.property(parts, body => {
			const bytes = Buffer.concat(body);
			return bytes.equals(bodyBytes(body)) && bodyLength(body) === bytes.byteLength && bodyBytes(bytes) === bytes && bodyLength(bytes) === bytes.byteLength && isBody(body) && isBody(bytes);
		}));
	});
});

test('a range of a body of several parts is that of its bytes, and has no empty part', t => {
	t.notThrows(() => {
		fc.assert(fc.property(parts, fc.nat(100), fc.nat(100), (body, one, other) => {
			const [start, end] = [Math.min(one, other), Math.max(one, other)];
			const range = bodyRange(body, start, end);
			return Buffer.concat(body).subarray(start, end).equals(bodyBytes(range)) && partsOfBody(range).every(part => part.byteLength > 0);
		}));
	});
});

test('a list with anything but bytes is no body', t => {
	for (const value of [undefined, 'text', {}, ['text'], [new Uint8Array(1), undefined], new Uint16Array(1)]) {
		t.false(isBody(value), JSON.stringify(value));
	}
});

for (const {name, pipeline} of variants) {
	test(`${name}: a body of several parts is serialized as its bytes are`, async t => {
		for (const text of ['{"name": "Ada", "numbers": [1, 2, 3]}', 'no JSON', '\u{FF}\u{0}\u{FE}']) {
			const whole = response(Buffer.from(text, 'latin1'));
			const body = [...Buffer.from(text, 'latin1')].map(byte => Uint8Array.of(byte));
			const stored = storedResponse(whole, body);
			t.is(stored.byteLength, whole.byteLength);
			t.is(checksumOf('key', stored), checksumOf('key', whole));
			const restored = await pipeline.loads(await pipeline.dumps(stored, context), context);
			t.deepEqual(facts(restored), facts(whole));
			t.true(restored.body instanceof Uint8Array);
		}
	});
}

test('the parts of a body count with their bytes', t => {
	const body = Array.from({length: 3}, () => new Uint8Array(1000));
	const difference = storedSize(storedResponse(response(''), body)) - storedSize(response(new Uint8Array(3000)));
	t.true(difference >= 0 && difference < 100);
});

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
	type Body,
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

test('a body of several parts has the bytes of its parts, and keeps them joined once somebody needs them', t => {
	t.notThrows(() => {
		fc.assert(fc.property(parts, list => {
			const bytes = Buffer.concat(list);
			const body: Body = {parts: list};
			const isWhole = bodyLength(body) === bytes.byteLength && partsOfBody(body) === list && bytes.equals(bodyBytes(body));
			const [joined, ...others] = partsOfBody(body);
			return isWhole && others.length === 0 && bytes.equals(joined!) && bodyBytes(body) === joined && bodyLength(body) === bytes.byteLength;
		}));
	});
});

test('a body of one array is that array', t => {
	const bytes = Uint8Array.of(1, 2, 3);
	t.is(bodyBytes(bytes), bytes);
	t.is(bodyLength(bytes), 3);
	t.is(partsOfBody(bytes)[0], bytes);
});

test('a range of a body of several parts is that of its bytes, has no empty part, and joins nothing', t => {
	t.notThrows(() => {
		fc.assert(fc.property(parts, fc.nat(100), fc.nat(100), (list, one, other) => {
			const [start, end] = [Math.min(one, other), Math.max(one, other)];
			const body: Body = {parts: list};
			const range = bodyRange(body, start, end);
			return body.parts === list && partsOfBody(range).every(part => part.byteLength > 0) && Buffer.concat(list).subarray(start, end).equals(bodyBytes(range));
		}));
	});
});

test('bytes and parts of bytes are a body, and nothing else is', t => {
	for (const value of [new Uint8Array(0), Buffer.from('a'), {parts: []}, {parts: [new Uint8Array(1)]}]) {
		t.true(isBody(value), JSON.stringify(value));
	}

	for (const value of [undefined, null, 'text', 1, {}, [new Uint8Array(1)], {parts: 'text'}, {parts: ['text']}, {parts: [new Uint8Array(1), undefined]}, new Uint16Array(1)]) {
		t.false(isBody(value), JSON.stringify(value));
	}
});

for (const {name, pipeline} of variants) {
	test(`${name}: a body of several parts is serialized as its bytes are`, async t => {
		for (const text of ['{"name": "Ada", "numbers": [1, 2, 3]}', 'no JSON', '\u{FF}\u{0}\u{FE}']) {
			const whole = response(Buffer.from(text, 'latin1'));
			const stored = storedResponse(whole, {parts: [...Buffer.from(text, 'latin1')].map(byte => Uint8Array.of(byte))});
			t.is(stored.byteLength, whole.byteLength);
			t.is(checksumOf('key', stored), checksumOf('key', whole));
			const restored = await pipeline.loads(await pipeline.dumps(stored, context), context);
			t.deepEqual(facts(restored), facts(whole));
			t.true(restored.body instanceof Uint8Array);
		}
	});
}

test('the parts of a body count with their bytes', t => {
	const body = {parts: Array.from({length: 3}, () => new Uint8Array(1000))};
	const difference = storedSize(storedResponse(response(''), body)) - storedSize(response(new Uint8Array(3000)));
	t.true(difference >= 0 && difference < 200);
});

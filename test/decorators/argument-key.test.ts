import {Buffer} from 'node:buffer';
import {isDeepStrictEqual} from 'node:util';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {argumentsText, structuralText} from '../../source/decorators/plain-data.ts';
import {seed} from '../helpers/seed.ts';

const text = (value: unknown): string => structuralText(value, 'value');

test('structurally equal values have the same text, in any order', t => {
	const pairs: ReadonlyArray<readonly [unknown, unknown]> = [
		[{a: 1, b: [2]}, {b: [2], a: 1}],
		[new Map<unknown, unknown>([['a', 1], ['b', 2]]), new Map<unknown, unknown>([['b', 2], ['a', 1]])],
		[new Set([1, 2]), new Set([2, 1])],
		[0, -0],
		[Uint8Array.of(1), Buffer.of(1)],
		[Object.assign(Object.create(null) as object, {a: 1}), {a: 1}],
		[new URL('https://example.com'), new URL('https://example.com/')],
	];
	for (const [one, other] of pairs) {
		t.is(text(one), text(other));
	}

	t.is(argumentsText([1, undefined], 'call'), argumentsText([1], 'call'));
	t.not(argumentsText([undefined, 1], 'call'), argumentsText([1], 'call'));
});

test('different values have different texts', t => {
	const values = [
		undefined,
		null,
		true,
		'true',
		1,
		'1',
		1n,
		NaN,
		'',
		[],
		[[]],
		{},
		[undefined],
		{a: undefined},
		{a: 1},
		{a: '1'},
		[1, 2],
		[2, 1],
		['1,2'],
		new Date(1),
		new Date(NaN),
		'Date(1)',
		/a/v,
		/a/gv,
		new URL('https://a.example'),
		'https://a.example/',
		new Map(),
		new Set(),
		new Map([[1, 2]]),
		new Map([['1', 2]]),
		new Set([1]),
		new Set(['1']),
		Uint8Array.of(1),
		Int8Array.of(1),
		Uint16Array.of(1),
		new ArrayBuffer(1),
		new ArrayBuffer(2),
		new DataView(new ArrayBuffer(1)),
	];
	t.is(new Set(values.map(value => text(value))).size, values.length);
});

test('a value that cannot be included in the key causes an error that names its path', t => {
	class Other {
		readonly member = 1;
	}

	const circular: Record<string, unknown> = {};
	circular.self = {circular};
	for (const [value, message] of [
		[() => {}, /`value` is a function/v],
		[{list: [Symbol('x')]}, /`value\.list\[0\]` is symbol Symbol\(x\)/v],
		[new Other(), /an instance of Other/v],
		[new Map([[{}, new WeakMap()]]), /an item of value.*WeakMap/v],
		[circular, /contains itself/v],
		[{[Symbol('member')]: 1}, /a member of value/v],
		[Promise.resolve(), /an instance of Promise/v],
	] as const) {
		t.throws(() => text(value), {instanceOf: TypeError, message});
	}

	const shared = {a: 1};
	t.notThrows(() => text([shared, shared]));
});

test('generated values that differ have different texts', t => {
	const values = fc.anything({
		withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, maxDepth: 3,
	});
	const seen = new Map<string, unknown>();
	const parameters = {numRuns: 3000, seed};
	t.log(`seed ${parameters.seed}`);
	fc.assert(fc.property(values, value => {
		const key = text(value);
		const known = seen.get(key);
		const isSame = !seen.has(key) || isDeepStrictEqual(withoutSigns(known), withoutSigns(value));
		seen.set(key, value);
		return isSame;
	}), parameters);
	t.true(seen.size > 1000);
});

/** Replaces -0 by 0 and ignores the prototypes of plain objects, which the key does not distinguish. */
function withoutSigns(value: unknown): unknown {
	if (typeof value === 'number') {
		return value + 0;
	}

	if (Array.isArray(value)) {
		return Array.from(value, item => withoutSigns(item));
	}

	if (value instanceof Map) {
		return new Map(Array.from(value, ([key, item]) => [withoutSigns(key), withoutSigns(item)]));
	}

	if (value instanceof Set) {
		return new Set(Array.from(value, item => withoutSigns(item)));
	}

	const prototype: unknown = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
	return prototype === null || prototype === Object.prototype
		? Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, withoutSigns(item)]))
		: value;
}

test('a value that is nested too deeply is refused with its place', t => {
	let nested: unknown = 1;
	for (let depth = 0; depth < 200_000; depth++) {
		nested = depth % 2 === 0 ? [nested] : new Map([[1, nested]]);
	}

	t.throws(() => argumentsText([1, nested], 'call'), {code: 'ERR_CACHE_SETTING', message: '`argument 2 of call` is nested too deeply to be included in the key. Pass a `keyFn`.'});
});

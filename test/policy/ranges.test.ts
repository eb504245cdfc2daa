import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {type RangeSelection, selectRange} from '../../source/policy/views.ts';
import {storedFacts} from '../../source/policy/response-facts.ts';
import {storedHead} from '../helpers/policy.ts';

const createdAt = Date.UTC(2026, 6, 1);
const huge = '9'.repeat(400);
const none: RangeSelection = {kind: 'none'};
const unable: RangeSelection = {kind: 'unable'};
const unsatisfiable = (byteLength: number): RangeSelection => ({kind: 'unsatisfiable', contentRange: `bytes */${byteLength}`});
const part = (start: number, end: number, contentRange: string): RangeSelection => ({
	kind: 'part', start, end, contentRange,
});

function select(request: Fields, {statusCode = 200, fields = {}}: {readonly statusCode?: number; readonly fields?: Fields}, byteLength: number): RangeSelection {
	const stored = storedHead({
		statusCode, fields, createdAt, byteLength,
	});
	return selectRange(request, stored, storedFacts(stored, {cacheControlTargets: []}));
}

const ranges: ReadonlyArray<readonly [range: string | readonly string[] | undefined, byteLength: number, selection: RangeSelection]> = [
	[undefined, 10, none],
	['bytes=0-4', 10, part(0, 5, 'bytes 0-4/10')],
	['Bytes=0-4', 10, part(0, 5, 'bytes 0-4/10')],
	['bytes=4-4', 10, part(4, 5, 'bytes 4-4/10')],
	['bytes=0-9', 10, part(0, 10, 'bytes 0-9/10')],
	['bytes=007-008', 10, part(7, 9, 'bytes 7-8/10')],
	['bytes=,, 0-4\t,', 10, part(0, 5, 'bytes 0-4/10')],
	['bytes=5-10', 10, part(5, 10, 'bytes 5-9/10')],
	[`bytes=5-${huge}`, 10, part(5, 10, 'bytes 5-9/10')],
	['bytes=5-', 10, part(5, 10, 'bytes 5-9/10')],
	['bytes=9-', 10, part(9, 10, 'bytes 9-9/10')],
	['bytes=10-', 10, unsatisfiable(10)],
	['bytes=10-20', 10, unsatisfiable(10)],
	[`bytes=${huge}-`, 10, unsatisfiable(10)],
	['bytes=9007199254740993-9007199254740993', 10, unsatisfiable(10)],
	['bytes=9007199254740993-9007199254740992', 10, none],
	['bytes=-3', 10, part(7, 10, 'bytes 7-9/10')],
	['bytes=-10', 10, part(0, 10, 'bytes 0-9/10')],
	['bytes=-11', 10, part(0, 10, 'bytes 0-9/10')],
	[`bytes=-${huge}`, 10, part(0, 10, 'bytes 0-9/10')],
	['bytes=-0', 10, unsatisfiable(10)],
	['bytes=-00', 10, unsatisfiable(10)],
	['bytes=0-', 0, unsatisfiable(0)],
	['bytes=0-0', 0, unsatisfiable(0)],
	['bytes=-0', 0, unsatisfiable(0)],
	['bytes=-5', 0, none],
	['bytes=4-3', 10, none],
	['bytes=', 10, none],
	['bytes=,', 10, none],
	['bytes=-', 10, none],
	['bytes=a-b', 10, none],
	['bytes=1', 10, none],
	['bytes=+1-2', 10, none],
	['bytes=1.0-2', 10, none],
	['bytes=0x1-2', 10, none],
	['bytes=1 - 2', 10, none],
	['bytes=--1', 10, none],
	['bytes=1-2-3', 10, none],
	['bytes=1-2;3', 10, none],
	['bytes =1-2', 10, none],
	['bytes: 1-2', 10, none],
	['byte\u{17F}=1-2', 10, none],
	['1-2', 10, none],
	['', 10, none],
	['lines=1-2', 10, none],
	['bytes=0-1,4-3', 10, none],
	['bytes=0-1,x', 10, none],
	[['bytes=0-1', 'bytes=2-3'], 10, none],
	['bytes=0-1,3-4', 10, unable],
	['bytes=0-1, -1', 10, unable],
	['bytes=0-1,0-1', 10, unable],
	['bytes=20-,30-', 10, unable],
];

for (const [range, byteLength, selection] of ranges) {
	const title = range === undefined ? 'no Range' : JSON.stringify(range).replace(huge, 'huge');
	test(`RFC 9110 §14.1.2, §14.2: ${title} of ${byteLength} bytes is ${selection.kind === 'part' ? selection.contentRange : selection.kind}`, t => {
		t.deepEqual(select({range}, {}, byteLength), selection);
	});
}

const incomplete: ReadonlyArray<readonly [title: string, statusCode: number, fields: Fields]> = [
	['a stored 206', 206, {'content-range': 'bytes 0-9/20'}],
	['a stored 404', 404, {}],
	['a stored 203', 203, {}],
	['content that is stored encoded', 200, {'content-encoding': 'gzip'}],
];

for (const [title, statusCode, fields] of incomplete) {
	test(`RFC 9110 §14.2: ${title} gives no part`, t => {
		t.deepEqual(select({range: 'bytes=0-4'}, {statusCode, fields}, 10), unable);
		t.deepEqual(select({range: 'bytes=0-4', 'if-range': '"b"'}, {statusCode, fields}, 10), unable);
		t.deepEqual(select({range: 'bytes=4-0'}, {statusCode, fields}, 10), none);
		t.deepEqual(select({}, {statusCode, fields}, 10), none);
	});
}

const modified = 'Tue, 30 Jun 2026 00:00:00 GMT';
const strong: Fields = {'last-modified': modified, date: 'Tue, 30 Jun 2026 00:00:01 GMT'};
const conditions: ReadonlyArray<readonly [title: string, condition: string | readonly string[], stored: Fields, kind: RangeSelection['kind']]> = [
	['the stored tag', '"a"', {etag: '"a"'}, 'part'],
	['a tag with a comma', '"a,b"', {etag: '"a,b"'}, 'part'],
	['another tag', '"b"', {etag: '"a"'}, 'none'],
	['a tag where none is stored', '"a"', strong, 'none'],
	['a weak tag', 'W/"a"', {etag: 'W/"a"'}, 'none'],
	['a weak tag where a strong one is stored', 'W/"a"', {etag: '"a"'}, 'none'],
	['a strong tag where a weak one is stored', '"a"', {etag: 'W/"a"'}, 'none'],
	['the stored date', modified, strong, 'part'],
	['an earlier date', 'Mon, 29 Jun 2026 00:00:00 GMT', strong, 'none'],
	['a later date', 'Wed, 01 Jul 2026 00:00:00 GMT', strong, 'none'],
	['the stored date in another form', 'Tuesday, 30-Jun-26 00:00:00 GMT', strong, 'none'],
	['a date where none is stored', modified, {etag: '"a"'}, 'none'],
	['a date of the second in which the response was made', modified, {...strong, date: modified}, 'none'],
	['a date where the response has none', modified, {'last-modified': modified}, 'none'],
	['a date where the response has a broken one', modified, {...strong, date: '0'}, 'none'],
	['two tags', '"a", "b"', {etag: '"a"'}, 'unable'],
	['two lines', ['"a"', '"a"'], {etag: '"a"'}, 'unable'],
	['a star', '*', {etag: '"a"'}, 'unable'],
	['a tag without quotes', 'a', {etag: 'a'}, 'unable'],
	['a broken date', '2026-06-30', {...strong, 'last-modified': '2026-06-30'}, 'unable'],
	['nothing', '', strong, 'unable'],
];

for (const [title, condition, fields, kind] of conditions) {
	test(`RFC 9110 §13.1.5: If-Range with ${title}: ${kind}`, t => {
		t.is(select({range: 'bytes=0-4', 'if-range': condition}, {fields}, 10).kind, kind);
	});
}

test('RFC 9110 §13.1.5: If-Range without Range does not count', t => {
	t.deepEqual(select({'if-range': '"a"'}, {fields: {etag: '"a"'}}, 10), none);
});

test('RFC 9110 §13.1.5: the whole answers several ranges whose condition does not hold', t => {
	t.deepEqual(select({range: 'bytes=0-1,3-4', 'if-range': '"b"'}, {fields: {etag: '"a"'}}, 10), none);
});

const text = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: fc.constantFrom('0', '9', '-', ',', ' ')}).map(set => `bytes=${set}`));

test('RFC 9110 §14.2: nothing throws, and a part is never empty and lies in the body', t => {
	fc.assert(fc.property(text, fc.option(fc.string({unit: 'binary'}), {nil: undefined}), fc.nat(200), (range, condition, byteLength) => {
		const selection = select({range, 'if-range': condition}, {}, byteLength);
		if (selection.kind === 'part') {
			const {start, end, contentRange} = selection;
			t.true(start >= 0 && start < end && end <= byteLength);
			t.is(contentRange, `bytes ${start}-${end - 1}/${byteLength}`);
		} else {
			t.true(['none', 'unsatisfiable', 'unable'].includes(selection.kind));
		}
	}));
});

test('RFC 9110 §14.1.2: a part is what slicing the body gives', t => {
	fc.assert(fc.property(fc.nat(30), fc.nat(30), fc.integer({min: 1, max: 30}), (first, length, byteLength) => {
		const bytes = Array.from({length: byteLength}, (_, index) => index);
		const sliced = (range: string) => {
			const selection = select({range}, {}, byteLength);
			return selection.kind === 'part' ? bytes.slice(selection.start, selection.end) : [];
		};

		t.deepEqual(sliced(`bytes=${first}-${first + length}`), bytes.slice(first, first + length + 1));
		t.deepEqual(sliced(`bytes=${first}-`), bytes.slice(first));
		t.deepEqual(sliced(`bytes=-${length}`), length === 0 ? [] : bytes.slice(-length));
	}));
});

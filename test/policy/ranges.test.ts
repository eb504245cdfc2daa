import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import type {Fields} from '../../source/policy/fields.ts';
import type {View} from '../../source/policy/types.ts';
import {selectRange} from '../../source/policy/views.ts';
import {storedFacts} from '../../source/policy/response-facts.ts';
import {storedHead} from '../helpers/policy.ts';

const createdAt = Date.UTC(2026, 6, 1);
const huge = '9'.repeat(400);
type Selection = View | undefined;

const whole: View = {kind: 'whole'};
const unknown: Selection = undefined;
const unsatisfiable = (byteLength: number): Selection => ({kind: 'unsatisfiable', contentRange: `bytes */${byteLength}`});
const part = (start: number, end: number, contentRange: string): Selection => ({
	kind: 'part', start, end, contentRange,
});

/** Returns the name of a selection for titles. */
const nameOf = (selection: Selection): string => selection === undefined
	? 'for the origin to answer'
	: {
		whole: 'the whole response', part: 'a part', unsatisfiable: 'unsatisfiable', 'not-modified': 'not modified',
	}[selection.kind];

function select(request: Fields, {statusCode = 200, fields = {}}: {readonly statusCode?: number; readonly fields?: Fields}, byteLength: number): Selection {
	const stored = storedHead({
		statusCode, fields, createdAt, byteLength,
	});
	return selectRange(request, stored, storedFacts(stored, {cacheControlTargets: []}));
}

const ranges: ReadonlyArray<readonly [range: string | readonly string[] | undefined, byteLength: number, selection: Selection]> = [
	[undefined, 10, whole],
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
	['bytes=9007199254740993-9007199254740992', 10, whole],
	['bytes=-3', 10, part(7, 10, 'bytes 7-9/10')],
	['bytes=-10', 10, part(0, 10, 'bytes 0-9/10')],
	['bytes=-11', 10, part(0, 10, 'bytes 0-9/10')],
	[`bytes=-${huge}`, 10, part(0, 10, 'bytes 0-9/10')],
	['bytes=-0', 10, unsatisfiable(10)],
	['bytes=-00', 10, unsatisfiable(10)],
	['bytes=0-', 0, unsatisfiable(0)],
	['bytes=0-0', 0, unsatisfiable(0)],
	['bytes=-0', 0, unsatisfiable(0)],
	['bytes=-5', 0, whole],
	['bytes=4-3', 10, whole],
	['bytes=', 10, whole],
	['bytes=,', 10, whole],
	['bytes=-', 10, whole],
	['bytes=a-b', 10, whole],
	['bytes=1', 10, whole],
	['bytes=+1-2', 10, whole],
	['bytes=1.0-2', 10, whole],
	['bytes=0x1-2', 10, whole],
	['bytes=1 - 2', 10, whole],
	['bytes=--1', 10, whole],
	['bytes=1-2-3', 10, whole],
	['bytes=1-2;3', 10, whole],
	['bytes =1-2', 10, whole],
	['bytes: 1-2', 10, whole],
	['byte\u{17F}=1-2', 10, whole],
	['1-2', 10, whole],
	['', 10, whole],
	['lines=1-2', 10, whole],
	['bytes=0-1,4-3', 10, whole],
	['bytes=0-1,x', 10, whole],
	[['bytes=0-1', 'bytes=2-3'], 10, whole],
	['bytes=0-1,3-4', 10, unknown],
	['bytes=0-1, -1', 10, unknown],
	['bytes=0-1,0-1', 10, unknown],
	['bytes=20-,30-', 10, unknown],
];

for (const [range, byteLength, selection] of ranges) {
	const title = range === undefined ? 'no Range' : JSON.stringify(range).replace(huge, 'huge');
	test(`RFC 9110 §14.1.2, §14.2: ${title} of ${byteLength} bytes selects ${selection?.kind === 'part' ? selection.contentRange : nameOf(selection)}`, t => {
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
	test(`RFC 9110 §14.2: ${title} has no ranges`, t => {
		t.deepEqual(select({range: 'bytes=0-4'}, {statusCode, fields}, 10), unknown);
		t.deepEqual(select({range: 'bytes=0-4', 'if-range': '"b"'}, {statusCode, fields}, 10), unknown);
		t.deepEqual(select({range: 'bytes=4-0'}, {statusCode, fields}, 10), whole);
		t.deepEqual(select({}, {statusCode, fields}, 10), whole);
	});
}

const modified = 'Tue, 30 Jun 2026 00:00:00 GMT';
const strong: Fields = {'last-modified': modified, date: 'Tue, 30 Jun 2026 00:00:01 GMT'};
const conditions: ReadonlyArray<readonly [title: string, condition: string | readonly string[], stored: Fields, kind: string]> = [
	['the stored tag', '"a"', {etag: '"a"'}, 'a part'],
	['a tag with a comma', '"a,b"', {etag: '"a,b"'}, 'a part'],
	['another tag', '"b"', {etag: '"a"'}, 'the whole response'],
	['a tag where none is stored', '"a"', strong, 'the whole response'],
	['a weak tag', 'W/"a"', {etag: 'W/"a"'}, 'the whole response'],
	['a weak tag where a strong one is stored', 'W/"a"', {etag: '"a"'}, 'the whole response'],
	['a strong tag where a weak one is stored', '"a"', {etag: 'W/"a"'}, 'the whole response'],
	['the stored date', modified, strong, 'a part'],
	['an earlier date', 'Mon, 29 Jun 2026 00:00:00 GMT', strong, 'the whole response'],
	['a later date', 'Wed, 01 Jul 2026 00:00:00 GMT', strong, 'the whole response'],
	['the stored date in another form', 'Tuesday, 30-Jun-26 00:00:00 GMT', strong, 'the whole response'],
	['a date where none is stored', modified, {etag: '"a"'}, 'the whole response'],
	['a date of the second in which the response was made', modified, {...strong, date: modified}, 'the whole response'],
	['a date where the response has none', modified, {'last-modified': modified}, 'the whole response'],
	['a date where that of the response is invalid', modified, {...strong, date: '0'}, 'the whole response'],
	['two tags', '"a", "b"', {etag: '"a"'}, 'for the origin to answer'],
	['two lines', ['"a"', '"a"'], {etag: '"a"'}, 'for the origin to answer'],
	['a star', '*', {etag: '"a"'}, 'for the origin to answer'],
	['a tag without quotes', 'a', {etag: 'a'}, 'for the origin to answer'],
	['an invalid date', '2026-06-30', {...strong, 'last-modified': '2026-06-30'}, 'for the origin to answer'],
	['nothing', '', strong, 'for the origin to answer'],
];

for (const [title, condition, fields, kind] of conditions) {
	test(`RFC 9110 §13.1.5: If-Range with ${title} selects ${kind}`, t => {
		t.is(nameOf(select({range: 'bytes=0-4', 'if-range': condition}, {fields}, 10)), kind);
	});
}

test('RFC 9110 §13.1.5: If-Range without Range is ignored', t => {
	t.deepEqual(select({'if-range': '"a"'}, {fields: {etag: '"a"'}}, 10), whole);
});

test('RFC 9110 §13.1.5: the complete response answers several ranges if the precondition fails', t => {
	t.deepEqual(select({range: 'bytes=0-1,3-4', 'if-range': '"b"'}, {fields: {etag: '"a"'}}, 10), whole);
});

const text = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: fc.constantFrom('0', '9', '-', ',', ' ')}).map(set => `bytes=${set}`));

test('RFC 9110 §14.2: with any Range, a part is never empty and lies within the body', t => {
	fc.assert(fc.property(text, fc.option(fc.string({unit: 'binary'}), {nil: undefined}), fc.nat(200), (range, condition, byteLength) => {
		const selection = select({range, 'if-range': condition}, {}, byteLength);
		if (selection?.kind === 'part') {
			const {start, end, contentRange} = selection;
			t.true(start >= 0 && start < end && end <= byteLength);
			t.is(contentRange, `bytes ${start}-${end - 1}/${byteLength}`);
		} else {
			t.true(selection === undefined || ['whole', 'unsatisfiable'].includes(selection.kind));
		}
	}));
});

test('RFC 9110 §14.1.2: a part equals the slice of the body', t => {
	fc.assert(fc.property(fc.nat(30), fc.nat(30), fc.integer({min: 1, max: 30}), (first, length, byteLength) => {
		const bytes = Array.from({length: byteLength}, (_, index) => index);
		const sliced = (range: string) => {
			const selection = select({range}, {}, byteLength);
			return selection?.kind === 'part' ? bytes.slice(selection.start, selection.end) : [];
		};

		t.deepEqual(sliced(`bytes=${first}-${first + length}`), bytes.slice(first, first + length + 1));
		t.deepEqual(sliced(`bytes=${first}-`), bytes.slice(first));
		t.deepEqual(sliced(`bytes=-${length}`), length === 0 ? [] : bytes.slice(-length));
	}));
});

import fs from 'node:fs';
import test from 'ava';
import type {Fields} from '../../source/policy/fields.ts';
import {onLookup, onRequest} from '../../source/policy/request-rules.ts';
import {ResponseFacts, factsToStore} from '../../source/policy/response-facts.ts';
import {onError, onResponse} from '../../source/policy/response-rules.ts';
import {countCalls, type Calls} from '../helpers/calls.ts';
import {
	byOrigin,
	facts,
	hour,
	minute,
	start,
	storedHead,
	type RequestCase,
} from '../helpers/policy.ts';

const at = (time: number): string => new Date(time).toUTCString();

/** Every field that a rule asks for, each once. */
const fields: Fields = {
	'cache-control': 'public, stale-while-revalidate=30',
	'cdn-cache-control': 'stale-while-revalidate=20',
	expires: at(start + minute),
	date: at(start),
	'last-modified': at(start - hour),
	age: '5',
	etag: '"a"',
	vary: 'accept-encoding, accept',
	'cache-tag': 'one, two',
};

function callsOf(run: () => void): (name: string) => number {
	const calls: Calls = countCalls('source/policy/', run);
	return name => Math.max(0, ...calls.values().map(functions => functions.get(name) ?? 0));
}

/** The functions that read a field, and those that parse its value. */
const reading = ['fieldLines', 'fieldValue', 'fieldTokens'];
const parsing = ['parseDirectives', 'targetedDirectives', 'qualifiedFields', 'deltaMilliseconds', 'parseHttpDate', 'parseEntityTags', 'parseRanges', 'nominatedFields', 'tagsOf', 'ageValue', 'normalizeFieldValue'];

test('the counted functions exist', t => {
	const folder = new URL('../../source/policy/', import.meta.url);
	const source = fs.readdirSync(folder).map(name => fs.readFileSync(new URL(name, folder), 'utf8')).join('');
	for (const name of [...reading, ...parsing, ...Object.keys(expected)]) {
		t.true(source.includes(`function ${name}(`), `of ${name}`);
	}
});

const hits: ReadonlyArray<readonly [title: string, request: RequestCase]> = [
	['with cacheControl: true', {settings: byOrigin}],
	['with default settings', {}],
	['with targeted fields', {settings: {...byOrigin, cacheControlTargets: ['cdn-cache-control']}}],
	['with alwaysRevalidate', {settings: {...byOrigin, alwaysRevalidate: true}}],
	['with onlyIfCached', {settings: {...byOrigin, alwaysRevalidate: true, onlyIfCached: true}}],
];

for (const [title, request] of hits) {
	test.serial(`a hit ${title} parses no header`, t => {
		const {settings} = facts(request);
		const head = storedHead({fields: {...fields, 'cache-control': 'immutable'}});
		const stored = {...head, facts: factsToStore(new ResponseFacts(head, settings.cacheControlTargets, start), settings.cacheControlTargets)};
		let reasons: unknown;
		const count = callsOf(() => {
			const known = facts(request);
			reasons = [onRequest(known).do, onLookup(known, {stored}, start + 10_000).reason];
		});
		t.deepEqual(reasons, ['lookup', 'fresh']);
		t.is(count('requestFacts'), 1);
		for (const name of [...reading, ...parsing]) {
			t.is(count(name), 0, `of ${name}`);
		}
	});
}

test.serial('whether a response may be served stale is decided without parsing a header', t => {
	const head = storedHead({fields});
	const stored = {...head, facts: factsToStore(new ResponseFacts(head, [], start), [])};
	const request = facts({settings: {...byOrigin, staleIfError: hour}});
	const count = callsOf(() => {
		t.is(onLookup(request, {stored}, start + (5 * minute) + 10_000).reason, 'stale-while-revalidate');
		t.is(onError(request, {stored}, start + hour).reason, 'stale-if-error');
	});
	for (const name of [...reading, ...parsing]) {
		t.is(count(name), 0, `of ${name}`);
	}
});

test.serial('for a hit with a precondition, only the precondition is parsed', t => {
	const head = storedHead({fields});
	const stored = {...head, facts: factsToStore(new ResponseFacts(head, [], start), [])};
	const asked = facts({settings: byOrigin, fields: {'if-modified-since': at(start)}});
	const byDate = callsOf(() => {
		t.like(onLookup(asked, {stored}, start), {reason: 'fresh', view: {kind: 'not-modified'}});
	});
	t.is(byDate('parseHttpDate'), 1);
	t.is(byDate('parseEntityTags'), 0);

	const tagged = facts({settings: byOrigin, fields: {'if-none-match': '"a"', range: 'bytes=0-1'}});
	const byTag = callsOf(() => {
		t.like(onLookup(tagged, {stored}, start), {reason: 'fresh', view: {kind: 'not-modified'}});
	});
	t.is(byTag('parseHttpDate'), 0);
	t.is(byTag('parseEntityTags'), 1);
	t.is(byTag('parseRanges'), 0);
});

const expected: Readonly<Record<string, number>> = {
	parseDirectives: 1,
	// One each: `Date`, `Last-Modified`, `Expires`.
	parseHttpDate: 3,
	nominatedFields: 1,
	tagsOf: 1,
	ageValue: 1,
	targetedDirectives: 0,
	parseEntityTags: 0,
	parseRanges: 0,
};

const receptions: ReadonlyArray<readonly [title: string, receive: (request: ReturnType<typeof facts>) => unknown, verdict: object]> = [
	['a 304', request => onResponse(request, {statusCode: 304, fields}, {stored: storedHead({fields}), conditional: true}, {requested: start, received: start}), {do: 'freshen', effect: 'store'}],
	['a response that is stored', request => onResponse(request, {statusCode: 200, fields}, {stored: undefined, conditional: false}, {requested: start, received: start}), {do: 'store'}],
	['a response that replaces another', request => onResponse(request, {statusCode: 200, fields}, {stored: storedHead({fields}), conditional: true}, {requested: start, received: start}), {do: 'store'}],
];

for (const [title, receive, verdict] of receptions) {
	test.serial(`${title} parses each of its headers once`, t => {
		const request = facts({settings: byOrigin});
		let decision: unknown;
		const count = callsOf(() => {
			decision = receive(request);
		});
		t.like(decision, verdict);
		for (const [name, times] of Object.entries(expected)) {
			t.is(count(name), times, `of ${name}`);
		}
	});
}

test.serial('a 304 with few headers and the stored headers are parsed once', t => {
	const request = facts({settings: byOrigin});
	const count = callsOf(() => {
		onResponse(request, {statusCode: 304, fields: {date: at(start), etag: '"a"'}}, {stored: storedHead({fields}), conditional: true}, {requested: start, received: start});
	});
	for (const [name, times] of Object.entries(expected)) {
		t.is(count(name), times, `of ${name}`);
	}
});

test.serial('a targeted field is parsed once, and `Cache-Control` and `Expires` are not parsed', t => {
	const request = facts({settings: {...byOrigin, cacheControlTargets: ['cdn-cache-control']}});
	const count = callsOf(() => {
		onResponse(request, {statusCode: 200, fields}, {stored: undefined, conditional: false}, {requested: start, received: start});
	});
	t.is(count('targetedDirectives'), 1);
	t.is(count('parseDirectives'), 0);
	t.is(count('parseHttpDate'), 2);
});

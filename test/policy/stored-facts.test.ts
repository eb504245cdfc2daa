import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {onLookup} from '../../source/policy/request-rules.ts';
import {
	ResponseFacts,
	factsToStore,
	storedFacts,
	type StoredFacts,
} from '../../source/policy/response-facts.ts';
import {onError, onResponse} from '../../source/policy/response-rules.ts';
import {
	byOrigin,
	facts,
	hour,
	minute,
	start,
	storedHead,
} from '../helpers/policy.ts';

const at = (time: number): string => new Date(time).toUTCString();

const carried: ReadonlyArray<readonly [title: string, fields: Fields, carried: StoredFacts]> = [
	['an ordinary response', {'cache-control': 'public, max-age=60', date: at(start), etag: '"a"'}, {}],
	['no-cache', {'cache-control': 'no-cache'}, {noCache: true}],
	['no-cache of a field', {'cache-control': 'no-cache="x-a"'}, {}],
	['flags', {'cache-control': 'must-revalidate, immutable'}, {mustRevalidate: true, immutable: true}],
	['periods', {'cache-control': 'stale-if-error=1, stale-while-revalidate=x'}, {staleIfError: 1000, staleWhileRevalidate: 0}],
	['a strong date', {'last-modified': at(start - 1000), date: at(start)}, {lastModified: start - 1000}],
	['a date of less than a second before', {'last-modified': at(start), date: at(start)}, {lastModified: start, isDateWeak: true}],
	['a Last-Modified without a Date', {'last-modified': at(start)}, {lastModified: start, isDateWeak: true}],
	['an invalid date', {'last-modified': 'then', date: at(start)}, {}],
	['a targeted field', {'cache-control': 'no-cache', 'a-cache-control': 'immutable', 'b-cache-control': ''}, {immutable: true, targets: ['a-cache-control', 'b-cache-control']}],
];

for (const [title, lines, expectedFacts] of carried) {
	test(`the facts of ${title} are ${JSON.stringify(expectedFacts)}`, t => {
		const targets = ['a-cache-control', 'b-cache-control', 'c-cache-control'];
		t.deepEqual(factsToStore(new ResponseFacts({statusCode: 200, fields: lines}, targets, start), targets), expectedFacts);
	});
}

test('facts that were stored for other targeted fields are computed again', t => {
	const lines = {'cache-control': 'no-cache', 'a-cache-control': 'immutable', 'b-cache-control': 'must-revalidate'};
	const by = (targets: readonly string[]): StoredFacts => {
		const head = storedHead({fields: lines});
		return factsToStore(new ResponseFacts(head, targets, start), targets);
	};

	for (const stored of [[], ['a-cache-control'], ['b-cache-control', 'a-cache-control'], ['c-cache-control']]) {
		const head = storedHead({fields: lines, facts: by(stored)});
		for (const targets of [[], ['a-cache-control'], ['c-cache-control', 'b-cache-control'], ['a-cache-control', 'b-cache-control'], ['b-cache-control', 'a-cache-control'], []]) {
			t.deepEqual(storedFacts(head, {cacheControlTargets: targets}), by(targets), `stored by ${stored.join(',')}, read by ${targets.join(',')}`);
		}
	}

	const own = by(['c-cache-control']);
	t.is(storedFacts(storedHead({fields: lines, facts: own}), {cacheControlTargets: []}), own, 'a target that is not there parts nothing');
});

test('facts are plain data, and lead to the same decisions as the headers', t => {
	const directive = fc.constantFrom('no-cache', 'no-cache="x"', 'must-revalidate', 'immutable', 'stale-if-error=60', 'stale-while-revalidate=60', 'stale-if-error=x', 'max-age=5');
	const date = fc.oneof(fc.constantFrom('0', 'soon'), fc.integer({min: start - hour, max: start + hour}).map(time => at(time)));
	const lines = fc.record({
		'cache-control': fc.array(directive, {maxLength: 3}).map(list => list.join(', ')), 'last-modified': date, date, etag: fc.constant('"a"'),
	}, {requiredKeys: []});
	const condition = fc.record({'if-modified-since': date, 'if-range': date, range: fc.constant('bytes=0-1')}, {requiredKeys: []});
	fc.assert(fc.property(lines, condition, fc.boolean(), fc.nat(hour), fc.constantFrom(byOrigin, {}), (response, conditions, alwaysRevalidate, later, decider) => {
		const head = storedHead({fields: response});
		const known: StoredFacts = JSON.parse(JSON.stringify(storedFacts(head, {cacheControlTargets: []}))) as StoredFacts; // eslint-disable-line unicorn/prefer-structured-clone -- That it is JSON is what is tried.
		t.deepEqual(known, storedFacts(head, {cacheControlTargets: []}));
		const request = facts({fields: conditions, settings: {...decider, alwaysRevalidate, staleIfError: minute}});
		const stored = {...head, facts: known};
		t.deepEqual(onLookup(request, {stored}, start + later), onLookup(request, {stored: head}, start + later));
		t.deepEqual(onError(request, {stored}, start + later), onError(request, {stored: head}, start + later));
	}));
});

test('a response is stored with the facts of the merged headers', t => {
	const stale = {'cache-control': 'max-age=5, must-revalidate, stale-if-error=60', etag: '"a"', 'last-modified': at(start - hour)};
	const request = facts({settings: byOrigin});
	const times = {requested: start, received: start};
	const stored = onResponse(request, {statusCode: 200, fields: {...stale, date: at(start)}}, {stored: undefined, conditional: false}, times);
	t.like(stored, {do: 'store', facts: {mustRevalidate: true, staleIfError: minute, lastModified: start - hour}});
	const renewed = onResponse(request, {statusCode: 304, fields: {'cache-control': 'no-cache', date: at(start)}}, {stored: storedHead({fields: stale}), conditional: true}, times);
	t.like(renewed, {do: 'freshen', facts: {noCache: true, lastModified: start - hour}});
	const kept = onResponse(request, {statusCode: 304, fields: {}}, {stored: storedHead({fields: stale}), conditional: true}, times);
	t.like(kept, {
		do: 'freshen', facts: {
			mustRevalidate: true, staleIfError: minute, lastModified: start - hour, isDateWeak: true,
		},
	});
});

test('without cacheControl, no facts are stored', t => {
	const decision = onResponse(facts(), {statusCode: 200, fields: {'cache-control': 'no-cache'}}, {stored: undefined, conditional: false}, {requested: start, received: start});
	t.is(decision.do, 'store');
	t.false('facts' in decision);
});

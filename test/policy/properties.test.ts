import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {currentAge, initialAge, staleness} from '../../source/policy/freshness.ts';
import {parseDirectives, type CacheDirectives} from '../../source/policy/directives.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {onLookup, onRequest} from '../../source/policy/request-rules.ts';
import {ResponseFacts} from '../../source/policy/response-facts.ts';
import {onError, onResponse} from '../../source/policy/response-rules.ts';
import type {PolicySettings} from '../../source/policy/types.ts';
import {
	byOrigin,
	facts,
	hour,
	start,
	storedHead,
} from '../helpers/policy.ts';
import {seed} from '../helpers/seed.ts';

test('all properties have the seed of the run', t => {
	t.log(`SEED=${seed}`);
	t.is(fc.readConfigureGlobal().seed, seed);
});

const directive = fc.oneof(
	fc.constantFrom('no-store', 'no-cache', 'private', 'public', 'must-revalidate', 'must-understand', 'immutable', 'only-if-cached', 'max-stale', 'no-cache="etag, x"', 'private="a'),
	fc.tuple(fc.constantFrom('max-age', 'min-fresh', 'max-stale', 'stale-if-error', 'stale-while-revalidate', 's-maxage'), fc.oneof(fc.nat(), fc.constantFrom('', 'x', '"5"', '-1', '1e3', '99999999999999999999'))).map(([name, value]) => `${name}=${value}`),
);
const control = fc.array(directive, {maxLength: 4}).map(list => list.join(', '));
const moment = fc.integer({min: start - hour, max: start + hour});
const date = fc.oneof(moment.map(time => new Date(time).toUTCString()), fc.constantFrom('0', 'soon', ''), fc.string());

/** Fields that mean something to a cache, and some that do not, on one line or several. */
const line = fc.oneof(control, date, fc.constantFrom('"a"', 'W/"a"', '*', 'bytes=0-4', 'bytes=-1', 'bytes=0-1,2-3', 'gzip', 'accept, cookie', '/x', 'http://['), fc.string());
const names = ['cache-control', 'pragma', 'expires', 'date', 'age', 'last-modified', 'etag', 'vary', 'location', 'content-location', 'content-range', 'content-encoding', 'content-length', 'transfer-encoding', 'range', 'if-range', 'if-none-match', 'if-modified-since', 'if-match', 'example-cache-control', 'cache-status'];
const fields: fc.Arbitrary<Fields> = fc.dictionary(fc.constantFrom(...names), fc.oneof(line, fc.array(line, {minLength: 1, maxLength: 3})), {maxKeys: 8});
const settings: fc.Arbitrary<Partial<PolicySettings>> = fc.record({
	onlyIfCached: fc.boolean(),
	alwaysRevalidate: fc.boolean(),
	refresh: fc.boolean(),
	forceRefresh: fc.boolean(),
	readOnly: fc.boolean(),
	staleIfError: fc.constantFrom(0, 1000, Infinity),
	staleWhileRevalidate: fc.constantFrom(0, 1000, Infinity),
	gatewayTimeout: fc.constantFrom('error' as const, 'respond' as const),
	cacheControlTargets: fc.constantFrom([], ['example-cache-control']),
}).chain(own => fc.constantFrom({...own, ...byOrigin}, own));
const request = fc.record({method: fc.constantFrom('GET', 'HEAD', 'POST', 'BREW'), fields, settings});
const status = fc.oneof(fc.constantFrom(200, 206, 302, 304, 404, 503), fc.integer({min: 100, max: 599}));
const stored = fc.record({
	statusCode: status,
	method: fc.constantFrom('GET', 'HEAD'),
	fields,
	createdAt: moment,
	initialAge: fc.nat({max: hour}),
	expires: fc.option(moment, {nil: undefined}),
	byteLength: fc.nat({max: 20}),
}).map(head => storedHead(head));

test('every request gets a decision', t => {
	fc.assert(fc.property(request, fc.option(stored, {nil: undefined}), moment, (asked, head, now) => {
		t.is(typeof onRequest(facts(asked)).do, 'string');
		t.is(typeof onLookup(facts(asked), {stored: head}, now).reason, 'string');
		t.is(typeof onError(facts(asked), {stored: head}, now).reason, 'string');
	}), {numRuns: 2000});
});

test('every response gets a decision, and times that are numbers', t => {
	fc.assert(fc.property(request, fc.option(stored, {nil: undefined}), status, fields, moment, fc.integer({min: -1000, max: 100_000}), (asked, head, statusCode, response, received, took) => {
		const decision = onResponse(facts(asked), {statusCode, fields: response}, {stored: head, conditional: head !== undefined && took % 2 === 0}, {requested: received - took, received});
		t.is(typeof decision.reason, 'string');
		if (!(decision.do === 'store' || decision.do === 'freshen')) {
			return;
		}

		t.true(decision.initialAge >= 0);
		t.false(Number.isNaN(decision.expires ?? 0));
		t.true((decision.retainUntil ?? Infinity) >= (decision.expires ?? Infinity));
	}), {numRuns: 2000});
});

test('RFC 9111 §4.2.3: the age never goes backwards', t => {
	fc.assert(fc.property(fields, moment, fc.integer({min: -10_000, max: 10_000}), fc.nat(), fc.nat(), (response, received, took, first, second) => {
		const initial = initialAge(new ResponseFacts({statusCode: 200, fields: response}, [], received), received - took);
		t.true(initial >= 0);
		const head = storedHead({createdAt: received, initialAge: initial});
		t.true(currentAge(head, received + first) <= currentAge(head, received + first + second));
		t.true(currentAge(head, received - first) >= initial);
	}));
});

test('a later moment never makes a stale response fresh that was received before', t => {
	fc.assert(fc.property(request, stored, moment, fc.nat(), (asked, head, moment_, later) => {
		const now = Math.max(moment_, head.createdAt);
		t.true(staleness(head, now) <= staleness(head, now + later));
		const before = onLookup(facts(asked), {stored: head}, now);
		const after = onLookup(facts(asked), {stored: head}, now + later);
		t.true(after.reason !== 'fresh' || before.reason === 'fresh');
	}), {numRuns: 2000});
});

test('a response that the origin forbids to serve stale is never served stale', t => {
	const forbidding = fc.constantFrom('must-revalidate', 'max-age=0, must-revalidate', 'no-cache', 'no-cache, max-age=9');
	fc.assert(fc.property(request, stored, forbidding, moment, (asked, head, value, now) => {
		const origin = {...asked, settings: {...asked.settings, ...byOrigin, cacheControlTargets: []}};
		const forbidden = {...head, fields: {...head.fields, 'cache-control': value}};
		const decision = onLookup(facts(origin), {stored: forbidden}, now);
		t.true(decision.do !== 'serve' || (decision.reason === 'fresh' && !value.includes('no-cache')));
		t.not(onError(facts(origin), {stored: forbidden}, now).do, 'serve');
	}), {numRuns: 2000});
});

function write(directives: CacheDirectives): string {
	return [...directives].map(([name, argument]) => argument === true ? name : `${name}="${argument.replaceAll(/["\\]/gv, String.raw`\$&`)}"`).join(', ');
}

test('a list of directives that is written and parsed again is the same', t => {
	fc.assert(fc.property(fc.oneof(control, fc.string(), fc.string({unit: 'binary'})), value => {
		const directives = parseDirectives(value);
		t.deepEqual([...parseDirectives(write(directives))], [...directives]);
	}), {numRuns: 2000});
});

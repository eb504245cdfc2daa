import test from 'ava';
import fc from 'fast-check';
import {parseList, Token} from 'structured-headers';
import {
	cacheStatusMember,
	describeStatus,
	type ForwardReason,
	type StatusFacts,
} from '../../source/policy/cache-status.ts';
import {appendMember} from '../../source/policy/fields.ts';

const members: ReadonlyArray<readonly [title: string, name: string, facts: StatusFacts, member: string]> = [
	['§2: a name alone', 'ExampleCache', {}, 'ExampleCache'],
	['§2: a name that is a host is a token', 'cache.example.com', {}, 'cache.example.com'],
	['§2: a name that is not a token is a string', 'Example Cache', {}, '"Example Cache"'],
	['§2: a name that starts with a digit is a string', '1cache', {}, '"1cache"'],
	['§2: an empty name is a string', '', {}, '""'],
	['§2: quotes in a name are escaped', String.raw`a"b\c`, {}, String.raw`"a\"b\\c"`],
	['§2: characters of a name outside of ASCII are replaced', 'caché\n', {}, '"cach??"'],
	['§2.1: a hit', 'A', {hit: true, ttl: 376}, 'A;hit;ttl=376'],
	['§2.1: a hit has neither fwd nor its dependent parameters', 'A', {
		hit: true, forward: 'stale', forwardStatus: 304, stored: true, collapsed: true,
	}, 'A;hit'],
	['§2.1: hit is left out if it is false', 'A', {hit: false, forward: 'miss'}, 'A;fwd=miss'],
	['§2.2: a reason', 'A', {forward: 'uri-miss'}, 'A;fwd=uri-miss'],
	['§2.3: a status without fwd means nothing', 'A', {forwardStatus: 304}, 'A'],
	['§2.3: a status', 'A', {forward: 'stale', forwardStatus: 304}, 'A;fwd=stale;fwd-status=304'],
	['§2.4: a negative time', 'A', {hit: true, ttl: -412}, 'A;hit;ttl=-412'],
	['§2.4: no time left', 'A', {hit: true, ttl: -0}, 'A;hit;ttl=0'],
	['§2.4: a time is rounded down', 'A', {hit: true, ttl: 1.9}, 'A;hit;ttl=1'],
	['§2.4: a time that is too large', 'A', {hit: true, ttl: 1e20}, 'A;hit;ttl=999999999999999'],
	['§2.4: a time that is too small', 'A', {hit: true, ttl: -1e20}, 'A;hit;ttl=-999999999999999'],
	['§2.4: an infinite time is left out', 'A', {hit: true, ttl: Infinity}, 'A;hit'],
	['§2.5: stored is left out if it is false', 'A', {forward: 'miss', stored: false}, 'A;fwd=miss'],
	['§2.6: collapsed is left out if it is false', 'A', {forward: 'miss', collapsed: false}, 'A;fwd=miss'],
	['§2.7: a key is a string', 'A', {hit: true, key: 'abc'}, 'A;hit;key="abc"'],
	['§2.8: a detail is a token if possible', 'A', {hit: true, detail: 'MEMORY'}, 'A;hit;detail=MEMORY'],
	['§2.8: a detail that is not a token is a string', 'A', {hit: true, detail: 'from memory'}, 'A;hit;detail="from memory"'],
	['§2: all in order', 'A', {
		detail: 'd', key: 'k', ttl: 1, collapsed: true, stored: true, forwardStatus: 200, forward: 'vary-miss',
	}, 'A;fwd=vary-miss;fwd-status=200;stored;collapsed;ttl=1;key="k";detail=d'],
];

for (const [title, name, facts, member] of members) {
	test(`RFC 9211 ${title}`, t => {
		t.is(cacheStatusMember(name, facts), member);
	});
}

const reasons: readonly ForwardReason[] = ['bypass', 'method', 'uri-miss', 'vary-miss', 'miss', 'request', 'stale', 'partial'];

for (const forward of reasons) {
	test(`RFC 9211 §2.2: ${forward} is a token`, t => {
		t.is(cacheStatusMember('A', {forward}), `A;fwd=${forward}`);
	});
}

const lists: ReadonlyArray<readonly [title: string, existing: string | undefined, list: string]> = [
	['without a field', undefined, 'B;hit'],
	['after an empty field', ' ', 'B;hit'],
	['after another member', 'Origin; hit; ttl=5, CDN;fwd=miss', 'Origin; hit; ttl=5, CDN;fwd=miss, B;hit'],
	['after an invalid field', 'what? ever', 'what? ever, B;hit'],
];

for (const [title, existing, list] of lists) {
	test(`RFC 9211 §2: the member of this cache is the last one, ${title}`, t => {
		t.is(appendMember(existing, 'B;hit'), list);
	});
}

test('RFC 9211 §2: with any facts, the member can be parsed at the end of the list', t => {
	const text = fc.oneof(fc.string({unit: 'binary'}), fc.string());
	const number = fc.oneof(fc.double(), fc.integer());
	const facts = fc.record({
		hit: fc.boolean(),
		forward: fc.constantFrom(...reasons),
		forwardStatus: number,
		stored: fc.boolean(),
		collapsed: fc.boolean(),
		ttl: number,
		key: text,
		detail: text,
	}, {requiredKeys: []});
	fc.assert(fc.property(text, facts, (name, fact) => {
		const list = parseList(appendMember('Origin;hit', cacheStatusMember(name, fact)));
		t.is(list.length, 2);
		const [, parameters] = list[1]!;
		t.is(parameters.get('hit'), fact.hit === true ? true : undefined);
		t.deepEqual(parameters.get('fwd'), fact.hit === true || fact.forward === undefined ? undefined : new Token(fact.forward));
		t.false(parameters.has('hit') && parameters.has('fwd'));
		t.is(parameters.has('key'), fact.key !== undefined);
	}));
});

const answer = {
	reason: 'fresh', fromCache: true, collapsed: false, expires: 5500, key: 'k',
} as const;
const source = {
	forwarded: undefined, varies: false, statusCode: undefined, stored: false, now: 1000,
} as const;
const answers: ReadonlyArray<readonly [title: string, parameters: Parameters<typeof describeStatus>, member: string]> = [
	['a hit', [{name: 'A', key: false}, answer, source], 'A;hit;ttl=4'],
	['a hit that never expires, with its key', [{name: 'A', key: true}, {...answer, expires: undefined}, source], 'A;hit;key="k"'],
	['a stale hit', [{name: 'A', key: false}, {...answer, reason: 'max-stale', expires: 0}, source], 'A;hit;ttl=-1;detail=max-stale'],
	['a miss', [{name: 'A', key: false}, {...answer, reason: 'miss', fromCache: false}, {...source, forwarded: 'miss', stored: true}], 'A;fwd=uri-miss;stored'],
	['a miss beside other variants', [{name: 'A', key: false}, {...answer, reason: 'miss', fromCache: false}, {...source, forwarded: 'miss', varies: true}], 'A;fwd=vary-miss'],
	['a request without the cache', [{name: 'A', key: false}, {...answer, reason: 'disabled', fromCache: false}, {...source, forwarded: 'disabled'}], 'A;fwd=bypass'],
	['a 504', [{name: 'A', key: false}, {...answer, reason: 'only-if-cached', fromCache: false}, source], 'A;detail=only-if-cached'],
];

for (const [title, parameters, member] of answers) {
	test(`describes ${title}`, t => {
		t.is(describeStatus(...parameters), member);
	});
}

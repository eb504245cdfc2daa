import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {Match} from '../../source/cache/variants.ts';
import type {Flight, Landing} from '../../source/engine/flight.ts';
import {Flights, type Boarding} from '../../source/engine/flights.ts';
import {Patience} from '../../source/engine/patience.ts';
import {fieldsOf, storedResponse} from '../../source/model/stored-response.ts';

const german = {'accept-language': 'de'};
const french = {'accept-language': 'fr'};

function match(...rawHeaders: string[]): Match {
	const stored = storedResponse({
		method: 'GET',
		url: 'https://example.com/',
		statusCode: 200,
		statusMessage: 'OK',
		rawHeaders,
		createdAt: 0,
		initialAge: 0,
		expires: undefined,
		retainUntil: undefined,
		decidedBy: 'user',
		generation: 'one',
	}, new Uint8Array(0));
	return {primary: 'key', key: 'key', stored};
}

function leading(boarding: Boarding | Landing): Flight {
	if (boarding.do !== 'lead') {
		throw new Error(`Expected to lead, not to ${boarding.do}`);
	}

	return boarding.flight;
}

function waiting(boarding: Boarding): Extract<Boarding, {do: 'wait'}> {
	if (boarding.do !== 'wait') {
		throw new Error(`Expected to wait, not to ${boarding.do}`);
	}

	return boarding;
}

const short = {head: 30, body: 30, pass: 300};

test('the first leads, those who come meanwhile wait and have what it got, and nothing is left', async t => {
	const flights = new Flights();
	const flight = leading(flights.board('key', {}));
	const followers = [waiting(flights.board('key', {})), waiting(flights.board('key', {}))];
	t.is(flights.board('other', {}).do, 'lead');
	flight.land(match());
	t.deepEqual((await Promise.all(followers.map(({landing}) => landing))).map(landing => landing.do), ['reuse', 'reuse']);
	t.is(flights.size, 1);
	t.is(flights.board('key', {}).do, 'lead');
});

for (const how of ['its head', 'its end, as of a 304'] as const) {
	test(`a response that varies, by ${how}, is for those whose headers match; one for each other variant leads`, async t => {
		const flights = new Flights();
		const flight = leading(flights.board('key', german));
		const [same, one, other] = [german, french, french].map(request => waiting(flights.board('key', request)));
		const answer = match('Vary', 'Accept-Language');
		if (how === 'its head') {
			flight.begin(fieldsOf(['Vary', 'Accept-Language']));
		} else {
			flight.land(answer);
		}

		const next = leading(await one!.landing);
		flight.land(answer);
		t.is((await same!.landing).do, 'reuse');
		t.is(flights.board('key', german).do, 'lead');
		next.land(answer);
		t.is((await other!.landing).do, 'reuse');
	});
}

for (const vary of ['*', 'accept language', Array.from({length: 33}, (_, index) => `x-${index}`).join(',')]) {
	test(`a response that varies by everything is for nobody else: ${vary.slice(0, 20)}`, async t => {
		const flights = new Flights();
		const flight = leading(flights.board('key', german));
		const follower = waiting(flights.board('key', german));
		flight.land(match('Vary', vary));
		t.not((await follower.landing).do, 'reuse');
	});
}

test('what is known to vary is parted from the start', t => {
	const flights = new Flights();
	t.is(flights.board('key', german, {names: ['accept-language']}).do, 'lead');
	t.is(flights.board('key', french, {names: ['accept-language']}).do, 'lead');
	t.is(flights.board('key', french).do, 'wait');
});

test('what cannot be shared lets all go, and is remembered for a while', async t => {
	const flights = new Flights(short);
	const flight = leading(flights.board('key', {}));
	const followers = [waiting(flights.board('key', {})), waiting(flights.board('key', {}))];
	flight.pass();
	t.deepEqual((await Promise.all(followers.map(({landing}) => landing))).map(landing => landing.do), ['alone', 'alone']);
	t.is(flights.board('key', {}).do, 'alone');
	await delay(310);
	t.is(flights.board('key', {}).do, 'lead');
});

test('failures let 1, 2, 4 ask, and a success begins anew', async t => {
	const flights = new Flights();
	let flight = leading(flights.board('key', {}));
	const followers = Array.from({length: 8}, () => waiting(flights.board('key', {})));
	const left = [...followers];
	for (const count of [1, 2, 4]) {
		flight.fail();
		const landings = await Promise.all(left.splice(0, count).map(({landing}) => landing));
		t.deepEqual(landings.slice(1).map(landing => landing.do), Array.from({length: count - 1}, () => 'alone'));
		flight = leading(landings[0]!);
	}

	t.is(left.length, 1);
	flight.land(match());
	t.is((await left[0]!.landing).do, 'reuse');
	t.is(flights.size, 0);
});

test('who has met a failure waits on for no longer than its patience: they are let go in growing numbers', async t => {
	const flights = new Flights();
	const leader = leading(flights.board('key', {}));
	const limit = 400;
	const followers = Array.from({length: 101}, () => waiting(flights.board('key', {}, {patience: new Patience({store: limit, inAll: Infinity})})));
	// What another takes does not count.
	await delay(limit);
	const start = performance.now();
	leader.fail();
	const [first, ...others] = followers.map(({landing}) => landing);
	const next = leading(await first!);
	const late = waiting(flights.board('key', {}, {patience: new Patience({store: 1, inAll: Infinity})}));
	const times: number[] = [];
	await Promise.all(others.map(async landing => {
		t.is((await landing).do, 'alone');
		times.push(performance.now() - start);
	}));
	// Timers are late where there is much to do, but never early.
	const before = (share: number): number => times.filter(time => time < (share * limit) - 2).length;
	t.true(before(1 / 4) <= 6);
	t.true(before(1 / 2) <= 25);
	t.true(before(3 / 4) <= 56);
	t.true(times.at(-1)! < 2 * limit);
	t.true(new Set(times.map(time => Math.floor(time / 20))).size >= 5);
	// Who came since has met no failure.
	t.false(next.isOver);
	next.land(match());
	t.is((await late.landing).do, 'reuse');
	t.is(flights.size, 0);
});

test('who still waits when the next has a response gets that', async t => {
	const flights = new Flights();
	const leader = leading(flights.board('key', {}));
	const followers = Array.from({length: 4}, () => waiting(flights.board('key', {}, {patience: new Patience({store: 60_000, inAll: Infinity})})));
	leader.fail();
	leading(await followers[0]!.landing).land(match());
	t.deepEqual((await Promise.all(followers.slice(1).map(({landing}) => landing))).map(landing => landing.do), ['reuse', 'reuse', 'reuse']);
});

test('who may not be kept back for longer goes, whatever is on its way; who has no time left does not wait', async t => {
	const flights = new Flights();
	const leader = leading(flights.board('key', {}));
	const start = performance.now();
	const {landing} = waiting(flights.board('key', {}, {patience: new Patience({store: 60_000, inAll: 50})}));
	t.is((await landing).do, 'alone');
	t.true(performance.now() - start >= 48);
	t.is(flights.board('key', {}, {patience: new Patience({store: 60_000, inAll: 0})}).do, 'alone');
	t.false(leader.isOver);
});

test('patience: what is excused counts against the whole time alone', t => {
	const start = performance.now();
	const patience = new Patience({store: 1000, inAll: 5000}, start - 900);
	t.true(patience.left <= 100);
	t.true(patience.leftInAll <= 4100);
	patience.excuse(start - 800);
	t.true(patience.left > 800 && patience.left <= 1000);
	t.true(patience.leftInAll <= 4100);
	t.true(new Patience({store: 1000, inAll: 10}, start).left <= 10);
	t.is(new Patience({store: Infinity, inAll: Infinity}).left, Infinity);
});

test('what some cannot use by their rules, others still wait for', async t => {
	const flights = new Flights(short);
	const [rules, others] = [{}, {}];
	flights.pass('key', rules);
	leading(flights.board('key', {}, {rules: others}));
	t.is(flights.board('key', {}, {rules: others}).do, 'wait');
	t.is(flights.board('key', {}).do, 'wait');
	t.is(flights.board('key', {}, {rules}).do, 'alone');
	await delay(310);
	t.is(flights.board('key', {}, {rules}).do, 'wait');
});

test('whoever leaves is not the next to ask; who is alone leaves nothing behind', async t => {
	const flights = new Flights();
	const flight = leading(flights.board('key', {}));
	const first = waiting(flights.board('key', {}));
	const second = waiting(flights.board('key', {}));
	first.leave();
	flight.fail();
	const next = leading(await second.landing);
	second.leave();
	next.fail();
	t.is(flights.size, 0);
	next.land(match());
	next.pass();
	t.is(flights.board('key', {}).do, 'lead');
});

test('a flight of which nothing is heard is left, before and after its head; one that goes on is not', async t => {
	// The flights' own timers keep no process alive.
	const alive = setInterval(() => {}, 1000);
	t.teardown(() => {
		clearInterval(alive);
	});
	const flights = new Flights({...short, body: 60});
	const silent = leading(flights.board('key', {}));
	const follower = waiting(flights.board('key', {}));
	const last = waiting(flights.board('key', {}));
	const next = leading(await follower.landing);
	t.true(silent.isOver);
	next.begin({});
	for (let index = 0; index < 5; index++) {
		await delay(15);
		next.progress();
	}

	t.false(next.isOver);
	t.is((await last.landing).do, 'lead');
	t.true(next.isOver);
});

test('what runs in a flight waits for none until that is over, and may lead another', t => {
	const flights = new Flights();
	const flight = leading(flights.board('key', {}));
	flight.run(() => {
		t.is(flights.board('key', {}).do, 'alone');
		const inner = leading(flights.board('other', {}));
		inner.run(() => {
			t.is(flights.board('key', {}).do, 'alone');
			inner.land(match());
			t.is(flights.board('key', {}).do, 'alone');
			flight.land(match());
			leading(flights.board('key', {}));
			t.is(flights.board('key', {}).do, 'wait');
		});
	});
});

test('a refresh leads only where nothing is on its way, and others wait for it', t => {
	const flights = new Flights();
	const refresh = flights.lead('key', {});
	t.truthy(refresh);
	t.is(flights.lead('key', {}), undefined);
	t.is(flights.board('key', {}).do, 'wait');
});

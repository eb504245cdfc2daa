import test, {type ExecutionContext} from 'ava';
import {CookieJar} from 'tough-cookie';
import {Random} from '../chaos/random.ts';
import {Fixture} from '../got/global/fixture.ts';
import {majors} from '../helpers/clients.ts';
import {Clock} from '../helpers/origin.ts';
import {
	jars,
	identities,
	users,
	type Identity,
} from './two-users/identities.ts';
import {PersonalOrigin} from './two-users/origin.ts';
import {apisOf} from './two-users/apis.ts';

const seed = 16;
const requests = 400;
const atOnce = 16;

type Run = {
	readonly crossings: readonly string[];

	/** The number of responses of the origin. */
	readonly answers: number;

	/** The number of responses of each kind. */
	readonly kinds: ReadonlyMap<string, number>;

	/** Each API with the kinds of responses that it got. */
	readonly met: ReadonlySet<string>;
	readonly apis: number;
};

/** Sends 400 requests of two users, some of them concurrently, through any API. Between them time passes, and the origin may fail. */
async function run(t: ExecutionContext, [name, instance]: (typeof majors)[number], {identifyUser, options, query = () => '', settings = {}, isSecure = false, isWithoutStreamsOf15 = false}: Identity): Promise<Run> {
	t.log(`seed ${seed}`);
	const random = new Random(seed);
	const clock = new Clock();
	await using origin = await PersonalOrigin.start(identifyUser);
	for (const user of users) {
		const jar = new CookieJar();
		jars.set(user, jar);
		await Promise.all([origin.url, origin.secureUrl].map(async url => jar.setCookie(`who=${user}; Path=/`, url)));
	}

	const {apis, idle} = apisOf(t, {
		store: new Map(), now: clock.now, expireAfter: 60, staleWhileRevalidate: '5m', staleIfError: '1d', partitionSecret: 'of the tests',
		allowableMethods: ['GET', 'POST'], allowableCodes: [200], ...settings,
	}, instance);
	const names = Object.keys(apis).filter(api => !(isWithoutStreamsOf15 && name === 'Got 15' && api.endsWith('stream')));
	const kinds = new Map<string, number>();
	const met = new Set<string>();
	const crossings: string[] = [];
	const count = (kind: string): void => {
		kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
	};

	const ask = async (): Promise<void> => {
		const user = users[random.below(2)]!;
		const api = names[random.below(names.length)]!;
		const path = `/${['fresh', 'tagged', 'varying', 'to'][random.below(4)]!}/${random.below(2)}`;
		const url = (isSecure || api.startsWith('HTTP/2') ? origin.secureUrl : origin.url) + path + query(user);
		const {body, who, reason, isJoined = false} = await apis[api]!(url, options(user), user);
		met.add(`${api} ${path.split('/', 2)[1]!}`);
		count(isJoined ? 'joined' : reason ?? 'untold');
		const wanted = path.startsWith('/to/') && !origin.isDown ? `${user} /home/${user} ` : `${user} `;
		if (!body.startsWith(wanted) || (who !== undefined && who !== user)) {
			crossings.push(`${api}: ${user} got ${body} of ${String(who)} for ${path}, ${String(reason)}`);
		}
	};

	for (let done = 0; done < requests; done += atOnce) {
		clock.advance([0, 0, 45, 90, 400][random.below(5)]!);
		origin.isDown = random.happens(0.2);
		await Promise.all(Array.from({length: atOnce}, async () => ask()));
		await idle();
	}

	for (const user of users) {
		const cookies = await Promise.all([origin.url, origin.secureUrl].map(async url => jars.get(user)!.getCookieString(url)));
		crossings.push(...cookies.filter(cookie => users.some(other => other !== user && cookie.includes(other))));
	}

	t.log(`${origin.count} answers of the origin; ${[...kinds].map(([kind, number]) => `${kind} ${number}`).join(', ')}`);
	return {
		crossings, answers: origin.count, kinds, met, apis: names.length,
	};
}

for (const major of majors) {
	for (const [title, how] of Object.entries(identities)) {
		test.serial(`${major[0]}: two users who differ by ${title} never get a response of the other, in ${requests} requests`, async t => {
			t.timeout(120_000);
			const {crossings, answers, kinds, met, apis} = await run(t, major, how);
			t.deepEqual(crossings, []);
			t.is(met.size, apis * 4, 'each API gets each kind of response');
			for (const kind of ['fresh', 'miss', 'stale-while-revalidate', 'stale-if-error', 'revalidated', 'joined']) {
				t.is(kinds.has(kind), how.without?.includes(kind) !== true, `${kind} is among the answers`);
			}

			t.true(answers < requests * 0.8, 'the cache is used');
		});
	}
}

test.serial('users with the same credentials share responses, so that the tests above would fail', async t => {
	const {crossings} = await run(t, majors[0]!, {...identities['a header of a service']!, settings: {partitionBy: false}});
	t.true(crossings.length > 50);
	for (const api of ['promise', 'another client', 'createCachedGot', 'installed', 'HTTP/2', 'stream', 'HTTP/2 stream', 'text', 'buffer', 'decorated']) {
		t.true(crossings.some(crossing => crossing.startsWith(`${api}: `)), `by ${api}`);
	}
});

test('two users of a process with an installed cache never get a response of the other, in 400 requests through Got 15 and 16', async t => {
	t.timeout(120_000);
	t.log(`seed ${seed}`);
	await using origin = await PersonalOrigin.start(({headers, url}) => /ada|bob/v.exec([headers.authorization, headers.cookie, headers['x-api-key'], new URL(url!, 'http://localhost').searchParams.get('token')].join(' '))![0]);
	const fixtureOfProgram = await Fixture.create(t);
	await fixtureOfProgram.copyGot('got15', 'node_modules/other/node_modules/got');
	await fixtureOfProgram.writePackage('node_modules/other', 'export {default} from \'got\';');
	const {lines, stderr} = await fixtureOfProgram.run(`
		import got16 from 'got';
		import got15 from 'other';
		import {cacheInfo, installCache} from 'got-cache-hooks';

		const [url, seed] = process.argv.slice(2);
		let state = Number(seed);
		const below = limit => {
			state = (state * 16807) % 2147483647;
			return Math.floor(state / 2147483647 * limit);
		};

		let now = 0;
		const {cache} = installCache({store: 'memory', now: () => now, expireAfter: 60, staleWhileRevalidate: '5m'});
		const identities = [user => ({headers: {authorization: user}}), user => ({headers: {cookie: 's=' + user}}), user => ({headers: {'x-api-key': user}}), user => ({searchParams: {token: user}})];
		const crossings = [];
		const reasons = {};
		const ask = async () => {
			const user = ['ada', 'bob'][below(2)];
			const path = '/' + ['fresh', 'tagged', 'varying', 'to'][below(4)] + '/' + below(2);
			const options = identities[below(4)](user);
			const got = [got15, got16][below(2)];
			let body = '';
			if (below(3) === 0) {
				for await (const chunk of got.stream(url + path, options)) {
					body += chunk;
				}
			} else {
				const response = await got(url + path, options);
				body = response.body;
				const {reason} = cacheInfo(response);
				reasons[reason] = (reasons[reason] ?? 0) + 1;
			}

			if (!body.startsWith(path.startsWith('/to/') ? user + ' /home/' + user + ' ' : user + ' ')) {
				crossings.push([path, user, body]);
			}
		};

		for (let done = 0; done < 400; done += 16) {
			now += [0, 0, 45000, 90000, 400000][below(5)];
			await Promise.all(Array.from({length: 16}, ask));
			await cache.idle();
		}

		console.log(JSON.stringify({crossings, reasons}));
	`, {args: [origin.url, String(seed)]});
	t.is(stderr, '');
	const [{crossings, reasons}] = lines as [{readonly crossings: unknown[]; readonly reasons: Readonly<Record<string, number>>}];
	t.log(`${origin.count} answers of the origin; ${JSON.stringify(reasons)}`);
	t.deepEqual(crossings, []);
	for (const reason of ['fresh', 'miss', 'stale-while-revalidate', 'revalidated']) {
		t.true(reasons[reason]! > 0, `${reason} is among the answers`);
	}
});

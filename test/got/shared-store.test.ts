import test from 'ava';
import {byOrigin, dated} from '../helpers/dated.ts';
import {
	byUser,
	fresh,
	plain,
	read,
	type Client,
	type Headers,
} from '../helpers/modes.ts';
import {getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §3 two clients on one store, one with cacheControl and one without, never find each other's entries`, async t => {
		for (const vary of [{}, {vary: 'foo'}]) {
			const store = new Map();
			const {client, clock} = createClient({
				...byOrigin, store, staleIfError: true, staleWhileRevalidate: true,
			}, instance);
			const shared = {...byUser, store, now: clock.now};
			const {client: lax} = createClient({...shared, staleIfError: true, staleWhileRevalidate: true}, instance);
			const {client: alsoLax} = createClient(shared, instance);
			await using origin = await Origin.start(dated(clock, ({headers}) => {
				const tag = `"${String(headers.by)}"`;
				const known = {...fresh, ...vary, etag: tag};
				return headers['if-none-match']?.includes(tag) === true ? {status: 304, headers: known} : {headers: known, body: String(headers.by)};
			}));
			const idle = async () => Promise.all([client, lax, alsoLax].map(async one => getCache(one).idle()));

			// That they share the store at all, a third shows.
			await lax(origin.url, {headers: {foo: '0', by: 'lax'}});
			await idle();
			t.true((await alsoLax(origin.url, {headers: {foo: '0', by: 'lax'}})).isFromCache);
			const clients = [[client, 'strict'], [lax, 'lax']] as const;
			const askAll = async () => {
				for (const [one, by] of [...clients, ...clients.toReversed(), ...clients]) {
					for (const foo of ['1', '2', '1']) {
						t.is(await read(one, origin.url, {foo, by}, false), by);
						await idle();
						t.is(await read(one, origin.url, {foo, by}, true), by);
						await idle();
					}
				}
			};

			for (const step of [0, 1, 100, 1000, 1, 0]) {
				clock.advance(step);
				await askAll();
			}

			const offered = origin.requests.filter(({headers}) => headers['if-none-match'] !== undefined);
			t.true(offered.every(({headers}) => headers['if-none-match'] === `"${String(headers.by)}"`));
		}
	});

	test(`${name}: RFC 9111 §4.4 a PUT by one user deletes the entries of other users, with all variants`, async t => {
		for (const store of ['memory', new Map()] as const) {
			const {client, clock} = createClient({
				...byOrigin, store, staleIfError: true, matchHeaders: ['accept'],
			}, instance);
			await using origin = await Origin.start(dated(clock, (request, count) => request.method === 'PUT' || count < 4 ? {headers: {...fresh, vary: 'foo', etag: `"${count}"`}} : {status: 503}));
			const forgiving = client.extend(plain) as Client;
			const users: readonly Headers[] = [{foo: '1', cookie: 'user=2'}, {foo: '2', cookie: 'user=2'}, {foo: '1', accept: 'text/plain', authorization: 'Bearer 3'}];
			for (const headers of users) {
				t.false((await client(origin.url, {headers})).isFromCache);
			}

			clock.advance(1);
			for (const headers of users) {
				t.true((await client(origin.url, {headers})).isFromCache);
			}

			await client.put(origin.url, {body: 'x', headers: {authorization: 'Bearer 1'}});
			for (const headers of users) {
				for (const isStream of [false, true]) {
					t.regex(await read(forgiving, origin.url, headers, isStream), /^answer (?:[5-9]|10)$/v);
				}
			}

			t.true(origin.requests.slice(4).every(({headers}) => headers['if-none-match'] === undefined));
			t.is(origin.count, 10);
		}
	});

	test(`${name}: RFC 9111 §4.4 a PUT through one client invalidates the responses of another client of the process on the same store, for other credentials as well`, async t => {
		const store = new Map();
		const {client, clock} = createClient({...byOrigin, store}, instance);
		const {client: other} = createClient({...byOrigin, store, now: clock.now}, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		const users: readonly Headers[] = [{}, {authorization: 'Bearer 2'}];
		for (const headers of users) {
			await other(origin.url, {headers});
		}

		await getCache(other).idle();
		clock.advance(1);
		await client.put(origin.url, {body: 'x'});
		await getCache(client).idle();
		for (const headers of users) {
			t.false((await other(origin.url, {headers})).isFromCache, JSON.stringify(headers));
		}
	});
}

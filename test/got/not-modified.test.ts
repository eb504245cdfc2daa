import test from 'ava';
import {CookieJar} from 'tough-cookie';
import {byOrigin, dated} from '../helpers/dated.ts';
import {
	bothModes,
	byUser,
	fresh,
	read,
	type Headers,
} from '../helpers/modes.ts';
import {getCache, type CacheSettings} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Clock, type Handler} from '../helpers/origin.ts';

type Fields = {readonly foo: string; readonly bar: string};

/** First `foo` parts what the origin has, then `bar`; tags say which it is. */
class Parting {
	by: keyof Fields = 'foo';

	readonly handler: Handler;

	constructor(clock: Clock) {
		this.handler = dated(clock, ({headers}) => {
			const body = this.expected(headers as Fields);
			const known = {...fresh, vary: this.by, etag: `"${body}"`};
			return headers['if-none-match']?.includes(`"${body}"`) === true ? {status: 304, headers: known} : {headers: known, body};
		});
	}

	expected(fields: Fields): string {
		return fields[this.by];
	}
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.1, §4.3.4 after a 304 that changes Vary, no variant answers a request for another one`, async t => {
		const values = ['1', '2', '3'];
		const everybody = values.flatMap(foo => values.map(bar => ({foo, bar})));
		for (const [mode, settings] of bothModes) {
			for (const store of [() => 'memory' as const, () => new Map()]) {
				// Whose request comes next: the first variant's, the second's (each brings a 304), and one that matches neither.
				for (const asking of [{foo: '1', bar: '1'}, {foo: '2', bar: '2'}, {foo: '3', bar: '2'}]) {
					const {client, clock} = createClient({...settings, store: store()}, instance);
					const parting = new Parting(clock);
					await using origin = await Origin.start(parting.handler);
					await client(origin.url, {headers: {foo: '1', bar: '1'}});
					clock.advance(30);
					await client(origin.url, {headers: {foo: '2', bar: '1'}});
					clock.advance(asking.foo === '1' ? 40 : 70);
					parting.by = 'bar';
					t.is(await client(origin.url, {headers: asking}).text(), asking.bar, mode);
					const requests = [false, true, false].flatMap(isStream => everybody.map(fields => ({fields, isStream})));
					for (const {fields, isStream} of requests) {
						t.is(await read(client, origin.url, fields, isStream), fields.bar, `${mode}: ${JSON.stringify(fields)} after ${JSON.stringify(asking)}`);
					}

					t.is(origin.requests.some(({headers}) => headers['if-none-match'] !== undefined), asking.foo !== '3', mode);
				}
			}
		}
	});

	type Ending = readonly [title: string, headers: Headers, settings: CacheSettings];
	const endings: readonly Ending[] = [
		['RFC 9111 §4.1 a 304 with Vary: *', {vary: '*'}, byOrigin],
		['RFC 9111 §4.1 a 304 with Vary: *, in the default mode as well,', {vary: 'foo, *'}, byUser],
		['RFC 9111 §5.2.2.5 a 304 with no-store', {'cache-control': 'no-store'}, byOrigin],
		['RFC 9111 §5.2.2.5 a 304 with no-store beside max-age', {'cache-control': 'max-age=60, no-store'}, byOrigin],
	];

	for (const [title, headers, settings] of endings) {
		test(`${name}: ${title} serves the stored response, and deletes it`, async t => {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...settings, store, staleIfError: true}, instance);
					await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
						? {headers: {...fresh, etag: '"1"'}}
						: {status: 304, headers: {...fresh, etag: '"1"', ...headers}}));
					await client(origin.url);
					clock.advance(60);
					t.is(await read(client, origin.url, {}, isStream), 'answer 1');
					t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
					await getCache(client).idle();
					t.is(await read(client, origin.url, {}, isStream), 'answer 3');
					t.is(origin.requests[2]!.headers['if-none-match'], undefined);
				}
			}
		});
	}

	test(`${name}: RFC 9111 §3.1 Set-Cookie of a 304 reaches the caller and the jar, and is not replayed on the next hit`, async t => {
		for (const [mode, settings] of bothModes) {
			// A stream of Got 15 with a jar loses the body of whatever sets a cookie, without a cache as well.
			for (const isStream of name === 'Got 15' ? [false] : [false, true]) {
				const cookieJar = new CookieJar();
				const {client, clock} = createClient({...settings, partitionBy: false}, instance);
				await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
					? {headers: {...fresh, etag: '"1"'}, body: 'body'}
					: {status: 304, headers: {...fresh, etag: '"1"', 'set-cookie': ['a=1; Path=/', 'b=2; Path=/']}}));
				const ask = async () => {
					if (!isStream) {
						return client(origin.url, {cookieJar});
					}

					const stream = client.stream(origin.url, {cookieJar});
					t.is(await readStream(stream), 'body');
					return stream.response!;
				};

				await ask();
				clock.advance(60);
				const validated = await ask();
				t.is(validated.statusCode, 200, mode);
				t.deepEqual(validated.headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/'], mode);
				t.is(await cookieJar.getCookieString(origin.url), 'a=1; b=2', mode);
				await cookieJar.removeAllCookies();
				const hit = await ask();
				t.true(hit.isFromCache, mode);
				t.is(hit.headers['set-cookie'], undefined, mode);
				t.false(hit.rawHeaders.some(line => line.toLowerCase() === 'set-cookie'), mode);
				t.is(await cookieJar.getCookieString(origin.url), '', mode);
				t.is(origin.count, 2, mode);
			}
		}
	});
}

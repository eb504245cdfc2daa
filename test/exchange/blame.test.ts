/*
An event names the setting whose function has failed, and no other.
*/
import test from 'ava';
import {
	cacheInfo,
	getCache,
	HttpCache,
	RedactedError,
	type CacheSettings,
	type UrlPattern,
} from '../../source/index.ts';
import {coreOf} from '../../source/cache/http-cache.ts';
import {Client} from '../../source/exchange/client.ts';
import {describedRequest} from '../../source/identity/sent-request.ts';
import {resolveSettings} from '../../source/settings/settings.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const fault = new Error('It is about ?token=abc');
const fails = (): never => {
	throw fault;
};

const pattern = (matches: () => boolean): UrlPattern => ({test: matches, exec: () => null});
const failing: CacheSettings['urlsExpireAfter'] = [[pattern(fails), '1h']];
const harmless: CacheSettings['urlsExpireAfter'] = [[pattern(() => false), '1h'], ['*/nothing', '1h']];

type Row = readonly [title: string, settings: CacheSettings, setting: string];

const rows: readonly Row[] = [
	['a pattern', {urlsExpireAfter: failing}, 'urlsExpireAfter'],
	['a pattern, beside a `keyFn` and a `partitionBy` that work', {urlsExpireAfter: failing, keyFn: () => 'key', partitionBy: () => 'a'}, 'urlsExpireAfter'],
	['`keyFn`', {keyFn: fails, urlsExpireAfter: harmless}, 'keyFn'],
	['`keyFn`, beside a `partitionBy` that works', {keyFn: fails, partitionBy: () => 'a'}, 'keyFn'],
	['`keyFn` that returns no key', {keyFn: () => '', partitionBy: () => 'a', urlsExpireAfter: harmless}, 'keyFn'],
	['`partitionBy`', {partitionBy: fails, urlsExpireAfter: harmless}, 'partitionBy'],
	['`partitionBy` that returns no string', {partitionBy: (() => 5) as never, urlsExpireAfter: harmless}, 'partitionBy'],
	['`partitionBy`, called by the `createKey` of a `keyFn`', {keyFn: (request, createKey) => createKey(request), partitionBy: fails}, 'partitionBy'],
	['`partitionBy` that returns no string, called by the `createKey` of a `keyFn`', {keyFn: (request, createKey) => createKey(request), partitionBy: (() => 5) as never}, 'partitionBy'],
];

for (const [title, settings, setting] of rows) {
	test(`a failure of ${title} is an event that names \`${setting}\`, and the request is sent without the cache`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('answer');
		});
		const {client} = createClient(settings);
		const events: unknown[] = [];
		getCache(client).on('settingError', event => {
			events.push(event.setting);
			t.notRegex(String(event.error), /token=abc/v);
			t.true(!(event.error instanceof RedactedError) || event.error.thrown() === fault);
		}).on('internalError', event => {
			events.push(event);
		});
		for (let round = 0; round < 2; round++) {
			const response = await client(origin.url);
			t.is(response.body, 'answer');
			t.false(cacheInfo(response).fromCache);
		}

		t.is(origin.count, 2);
		t.deepEqual(events, [setting, setting]);
	});
}

test('with `failFast`, a failure of a pattern is the error of the request', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const {client} = createClient({urlsExpireAfter: failing, failFast: true});
	await t.throwsAsync(client(origin.url), {code: 'ERR_SETTING_FUNCTION', message: /`urlsExpireAfter` threw/v});
	t.is(origin.count, 0);
});

test('another fault while an exchange is opened is one of this library, also if there are patterns', async t => {
	for (const urlsExpireAfter of [harmless, []]) {
		const cache = new HttpCache({store: 'memory', urlsExpireAfter});
		const events: unknown[] = [];
		cache.on('settingError', ({setting}) => {
			events.push(setting);
		}).on('internalError', ({error}) => {
			events.push(error);
		});
		const client = new Client(coreOf(cache), resolveSettings({urlsExpireAfter}));
		const request = describedRequest({url: 'https://example.com/'});
		let reads = 0;
		const broken = Object.defineProperty({...request}, 'override', {
			get: () => ++reads === 1 ? fails() : undefined,
		});
		const exchange = client.open(broken, client.exchangeSettings);
		t.like(await exchange.next({type: 'begin'}), {do: 'send'});
		t.is(exchange.info.reason, 'do-not-cache');
		t.deepEqual(events, [fault]);
		await cache.close();
	}
});

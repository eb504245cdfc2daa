import test from 'ava';
import {SettingError} from '../../source/errors.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../../source/identity/credentials.ts';
import {
	cacheInfo,
	createCachedGot,
	NEVER_EXPIRE,
	type LiveSettings,
} from '../../source/index.ts';
import {majors} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('body');
	});
}

for (const [name, instance] of majors) {
	test(`${name}: an assigned setting applies to requests that begin afterwards`, async t => {
		await using origin = await startOrigin();
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', expireAfter: '5m', now: clock.now}, instance);
		const {cacheSettings: settings} = client;
		const minutes = async (path: string): Promise<number> => (cacheInfo(await client(origin.url + path)).expires!.getTime() - clock.now()) / 60_000;
		t.is(await minutes('/a'), 5);
		settings.expireAfter = '1m';
		t.is(await minutes('/b'), 1);
		t.is(await minutes('/a'), 5);

		// What is understood of a request's own settings rests on the client's.
		const own = Object.freeze({alwaysRevalidate: false});
		const reason = async (): Promise<string> => cacheInfo(await client(`${origin.url}/a`, {context: {cache: own}})).reason;
		t.is(await reason(), 'fresh');
		settings.disabled = true;
		t.is(await reason(), 'disabled');
		settings.disabled = undefined;
		settings.matchHeaders = ['accept-encoding'];
		t.is(await reason(), 'miss');
	});
}

test('recreateKeys uses the current settings', async t => {
	await using origin = await startOrigin();
	const client = createCachedGot({store: new Map()});
	await client(`${origin.url}/?utm_source=mail`);
	client.cacheSettings.ignoredParameters = [...DEFAULT_IGNORED_PARAMETERS, 'utm_source'];
	t.deepEqual(await client.cache.recreateKeys(), {kept: 0, moved: 1, dropped: 0});
	t.true((await client(origin.url)).isFromCache);
});

test('assigning an invalid value throws and changes nothing', t => {
	const {cacheSettings} = createCachedGot({store: 'memory', expireAfter: '5m'});
	const loose = cacheSettings as unknown as Record<string | symbol, unknown>;
	const refused = (key: string, value: unknown, message: RegExp): void => {
		const error = t.throws(() => {
			loose[key] = value;
		}, {instanceOf: SettingError, message});
		t.is(error.path, `cache.${key}`);
	};

	refused('expireAfter', '5 parsecs', /Expected `cache\.expireAfter` to be .* got string "5 parsecs"/v);
	refused('expireafter', '5m', /Did you mean `expireAfter`/v);
	refused('refresh', true, /is not a setting of a client/v);
	refused('store', 'sqlite', /^`cache\.store` cannot be changed, because it names where responses are stored\. Create another client\.$/v);
	refused('cacheName', 'other', /the store is opened with it/v);
	const secret: Error = t.throws(() => {
		loose.partitionSecret = 'hunter2';
	});
	t.false(secret.message.includes('hunter2'));
	t.throws(() => {
		loose[Symbol('x')] = 1;
	}, {instanceOf: TypeError});
	t.throws(() => {
		Object.defineProperty(loose, 'expireAfter', {value: '1m'});
	}, {instanceOf: TypeError});
	t.is(cacheSettings.expireAfter, '5m');
});

test('settings are shown as they were given and completed with the defaults, without secrets and with frozen arrays', t => {
	const codes = [200, 404];
	const {cacheSettings, cache} = createCachedGot({store: 'memory', allowableCodes: codes, partitionSecret: 'hunter2'});
	t.is(cache.settings, cacheSettings);
	t.like(cacheSettings, {
		store: 'memory', expireAfter: NEVER_EXPIRE, ttlOffset: '1h', cacheName: 'http_cache', partitionSecret: 'REDACTED',
	});
	codes.push(500);
	t.deepEqual(cacheSettings.allowableCodes, [200, 404]);
	t.true(Object.isFrozen(cacheSettings.allowableCodes));
	cacheSettings.cacheControl = true;
	t.deepEqual(cacheSettings.allowableCodes, [200, 404]);
	t.is(cacheSettings.expireAfter, undefined);
	cacheSettings.expireAfter = '1m';
	Reflect.deleteProperty(cacheSettings, 'cacheControl');
	Reflect.deleteProperty(cacheSettings, 'expireAfter');
	t.is<unknown, unknown>(cacheSettings.expireAfter, NEVER_EXPIRE);
	Object.assign(cacheSettings, {readOnly: true} satisfies Partial<LiveSettings>);
	t.true(cacheSettings.readOnly);
});

for (const [name, instance] of majors) {
	test(`${name}: \`disabled\` and \`with\` apply to one cache and one call tree, also nested or concurrent`, async t => {
		await using origin = await startOrigin();
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', now: clock.now}, instance);
		const other = createCachedGot({store: 'memory', now: clock.now}, instance);
		const {cache} = client;
		const reason = async (asked = client): Promise<string> => cacheInfo(await asked(origin.url)).reason;
		await Promise.all([reason(), reason(other)]);
		const [inside, beside] = await Promise.all([
			cache.disabled(async () => [await reason(), await reason(other), await cache.with({disabled: false}, reason), await reason()]),
			reason(),
		]);
		t.deepEqual(inside, ['disabled', 'fresh', 'fresh', 'disabled']);
		t.is(beside, 'fresh');
		t.is(cache.with({onlyIfCached: true}, () => 5), 5);
		let isCalled = false;
		t.throws(() => {
			cache.with({expireAfter: '5 parsecs'}, () => {
				isCalled = true;
			});
		}, {instanceOf: SettingError, message: /settings\.expireAfter/v});
		t.false(isCalled);
		t.throws(() => {
			cache.disabled(() => {
				throw new RangeError('the caller\'s');
			});
		}, {instanceOf: RangeError});
	});
}

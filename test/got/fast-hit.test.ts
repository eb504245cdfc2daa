import {Buffer} from 'node:buffer';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type got from 'got';
import type {
	BeforeErrorHook,
	Got,
	RequestPromise,
	Response,
} from 'got';
import {
	cacheInfo,
	createCachedGot,
	type CachedGot,
	type CacheSettings,
} from '../../source/index.ts';
import {runWithSettings, withoutNetwork} from '../../source/exchange/scope.ts';
import {FastAnswer} from '../../source/got/fast-answer.ts';
import {cert} from '../helpers/certificates.ts';
import {Recorder} from '../helpers/behavior.ts';
import {majors} from '../helpers/clients.ts';
import {fc} from '../helpers/fast-check.ts';
import {Clock, Origin, type Handler} from '../helpers/origin.ts';
import {SecureOrigin} from '../helpers/secure-origin.ts';

type Call = (url: string | URL, options?: object) => RequestPromise;

type Setup = {
	readonly client: CachedGot;
	readonly request: Call;
	readonly url: string;
	readonly clock: Clock;
	readonly recorder: Recorder;
};

/** A use of a client whose first request is stored. */
type Scenario = {
	readonly title: string;

	/** Whether the fast hit is to answer the last request. Default: whatever it does. */
	readonly isFast?: boolean;
	readonly settings?: () => CacheSettings;

	/** The path of the request. Default: `/json`. */
	readonly path?: string;

	/** Whether the origin speaks HTTPS. Default: `false`. */
	readonly isSecure?: boolean;

	/** The majors of Got that it is for. Default: all. */
	readonly only?: string;

	/** What is different for the instance. */
	readonly extend?: () => object;
	readonly run: (stage: Setup) => Promise<unknown>;
};

const bodies: Readonly<Record<string, string | Uint8Array>> = {
	'/json': JSON.stringify({a: ['Grüße', 1]}),
	'/empty': '',
	'/text': 'no JSON: Grüße',
	'/mark': '\u{FEFF}{"a":1}',
	'/marks': '\u{FEFF}\u{FEFF}text',
	'/latin': Buffer.from('{"a":"Gr\u{FC}\u{DF}e"}', 'latin1'),
	'/vary': '{"varies":true}',
	'/accept': '{"by":"accept"}',
	'/cookie': '{"set":true}',
	'/private': '{"private":true}',
};

const headersOf: Readonly<Record<string, Record<string, string | string[]>>> = {
	'/vary': {vary: 'x-a'},
	'/accept': {vary: 'accept'},
	'/cookie': {'set-cookie': ['a=1', 'b=2'], 'x-line': ['1', '2']},
	'/private': {'cache-control': 'private, max-age=60'},
	'/redirect': {location: '/json'},
};

const handler: Handler = ({url}, outgoing) => {
	const path = url!.split('?', 1)[0]!;
	const status = /^\/(?<code>\d+)$/v.exec(path)?.groups?.code ?? (path === '/redirect' ? '301' : '200');
	outgoing.writeHead(Number(status), {
		'content-type': 'application/json', 'cache-control': 'max-age=60', etag: '"1"', ...headersOf[path],
	});
	outgoing.end(bodies[path]);
};

/** Notes the events of a cache, and what it counts. */
function watch({cache}: Pick<CachedGot, 'cache'>, recorder: Recorder): () => void {
	for (const event of ['hit', 'stale', 'miss', 'revalidated', 'bypassed', 'stored', 'refused', 'storeError', 'settingError', 'internalError'] as const) {
		cache.on(event, (payload: unknown) => {
			recorder.note(event, payload);
		});
	}

	return () => {
		recorder.note('stats', {...cache.stats(), millisecondsSaved: undefined});
	};
}

// With a hook, no request of an instance is a fast hit.
const seeError: BeforeErrorHook = error => error;

async function play(instance: typeof got, origin: Pick<Origin, 'url' | 'requests'>, {settings, path = '/json', extend, run}: Scenario, isOrdinary: boolean): Promise<{readonly notes: readonly unknown[]; readonly asked: unknown; readonly wasFast: boolean}> {
	const asked = origin.requests.length;
	const recorder = new Recorder();
	recorder.addPort(Number(new URL(origin.url).port));
	const clock = new Clock();
	const base = instance.extend({retry: {limit: 0}, https: {certificateAuthority: cert}}, isOrdinary ? {hooks: {beforeError: [seeError]}} : {});
	const client = createCachedGot({
		store: 'memory', expireAfter: '5m', now: clock.now, storeTimeout: 20_000, allowableCodes: [200, 301, 404], partitionSecret: 'a secret of tests', ...settings?.(),
	}, base as Got).extend({...extend?.()});
	const url = origin.url + path;
	await client(url, {throwHttpErrors: false, followRedirect: false, responseType: 'buffer'});
	await client.cache.idle();
	const end = watch(client, recorder);
	let wasFast = false;
	const request: Call = (...given) => {
		const pending = client(...given as [string]);
		wasFast = (pending as unknown) instanceof FastAnswer;
		return pending;
	};

	await run({
		client, request, url, clock, recorder,
	});
	await nextTurn();
	await client.cache.idle();
	end();
	return {notes: recorder.notes, asked: recorder.normalize(origin.requests.slice(asked)), wasFast};
}

/** Returns whether the last request was a fast hit. */
async function compare(t: ExecutionContext, instance: typeof got, scenario: Scenario): Promise<boolean> {
	// The keys depend on the port.
	await using origin = await (scenario.isSecure ? SecureOrigin : Origin).start(handler);
	const shown = await play(instance, origin, scenario, false);
	const ordinary = await play(instance, origin, scenario, true);
	t.deepEqual(shown.notes, ordinary.notes);
	t.deepEqual(shown.asked, ordinary.asked);
	t.true(shown.notes.length > 1, 'something is recorded');
	t.false(ordinary.wasFast);
	t.is(shown.wasFast, scenario.isFast ?? shown.wasFast);
	return shown.wasFast;
}

const settle = (read: (pending: RequestPromise, stage: Setup) => unknown, ...options: object[]) => async (stage: Setup): Promise<void> => {
	const pending = stage.request(stage.url, ...options);
	await stage.recorder.settle(Promise.resolve(read(pending, stage)));
};

async function response(pending: Promise<unknown>, {recorder}: Setup): Promise<unknown> {
	const given = await pending as Response;
	recorder.note('info', cacheInfo(given));
	recorder.note('accept', given.request.options.headers.accept);
	const {request} = given;
	recorder.note('request', {
		isSame: [request === given.request, request.response === given],
		context: request.options.context,
		isStream: request.options.isStream,
		timeout: request.options.timeout,
		destroyed: request.destroyed,
		aborted: request.isAborted,
		fromCache: request.isFromCache,
		retryCount: request.retryCount,
		requestUrl: request.requestUrl,
		redirectUrls: request.redirectUrls,
		downloadProgress: request.downloadProgress,
		uploadProgress: request.uploadProgress,
		timings: typeof request.timings,
		ip: request.ip,
		keys: Object.keys(request).filter(key => !key.startsWith('_')).toSorted(),
	});
	return given;
}

const json = async (pending: RequestPromise): Promise<unknown> => pending.json();
const text = async (pending: RequestPromise): Promise<unknown> => pending.text();
const bytes = async (pending: RequestPromise, {recorder}: Setup): Promise<unknown> => {
	const body = await pending.buffer() as Uint8Array;
	recorder.note('bytes', [body.constructor.name, body.byteLength]);
	return body;
};

const reads = {
	json, text, buffer: bytes, response,
} as const;

// eslint-disable-next-line @typescript-eslint/naming-convention -- A name of HTTP.
const ownAccept = {Accept: 'text/plain'};

const fast: readonly Scenario[] = [
	...Object.entries(reads).flatMap(([name, read]) => [
		...Object.keys(bodies).filter(path => !['/vary', '/accept'].includes(path)).map(path => ({title: `${name} of ${path}`, path, run: settle(read)})),
		...(['text', 'json', 'buffer'] as const).flatMap(responseType => ['/json', '/text', '/empty'].map(path => ({title: `${name} of ${path} with the type ${responseType}`, path, run: settle(read, {responseType})}))),
		{title: `${name} with headers and settings`, run: settle(read, {headers: {'X-A': '1'}, expireAfter: '1m', throwHttpErrors: false})},
		{title: `${name} with an own \`Accept\``, run: settle(read, {headers: ownAccept})},
		{title: `${name} with the headers of the origin`, settings: () => ({cacheControl: true}), run: settle(read)},
		{title: `${name} with \`failFast\``, settings: () => ({failFast: true}), run: settle(read)},
		{title: `${name} from a cache that is read only`, run: settle(read, {readOnly: true})},
		{
			title: `${name} later`, settings: () => ({cacheControl: true}), async run(stage: Setup) {
				stage.clock.advance(30);
				await settle(read)(stage);
			},
		},
	].map(scenario => ({...scenario, isFast: true}))),
	...(['text', 'json', 'buffer'] as const).flatMap(responseType => Object.keys(bodies).filter(path => !['/vary', '/accept'].includes(path)).map(path => ({
		title: `only the body of ${path} as ${responseType}`, path, isFast: true, run: settle(async pending => pending, {responseType, resolveBodyOnly: true}),
	}))),
	{title: 'only the body, and the body of a shortcut', isFast: true, run: settle(async pending => [await pending, await pending.json(), await pending.text()], {resolveBodyOnly: true})},
	{
		title: 'defaults of the instance', isFast: true, extend: () => ({
			responseType: 'json', resolveBodyOnly: true, headers: {'x-b': '1'}, expireAfter: '2m', timeout: {request: 10_000},
		}), run: settle(async pending => pending),
	},
	{
		title: 'the URL as an object that changes', isFast: true, async run({request, url, recorder}) {
			const target = new URL(url);
			const pending = request(target);
			target.pathname = '/text';
			await recorder.settle(pending);
		},
	},
	{
		title: 'options that change', isFast: true, async run({request, url, recorder}) {
			const headers: Record<string, string> = {'x-a': '1'};
			const options = {headers, responseType: 'text', refresh: false};
			const pending = request(url, options);
			headers['x-a'] = '2';
			options.responseType = 'json';
			options.refresh = true;
			await recorder.settle(pending);
			recorder.note('options', options);
		},
	},
	{
		title: '`get`', isFast: false, async run({client, url, recorder}) {
			await recorder.settle(client.get(url).json());
			await recorder.settle(client.get(url, {responseType: 'json', resolveBodyOnly: true}));
		},
	},
	{title: 'several shortcuts, and the response', isFast: true, run: settle(async (pending, stage) => [await pending.json(), await pending.json(), await pending.text(), await response(pending, stage), await pending.buffer()])},
	{title: 'a shortcut and the response, with an own `Accept`', isFast: true, run: settle(async (pending, stage) => [await pending.json(), await response(pending, stage)], {headers: ownAccept})},
	{title: 'the response, and shortcuts', isFast: true, run: settle(async (pending, stage) => [await response(pending, stage), await pending.text(), await pending.json()])},
	{title: 'all at the same time', isFast: true, run: settle(async (pending, stage) => Promise.all([pending.json(), response(pending, stage), pending.text(), pending]))},
	{
		title: 'no parts of one object twice', isFast: true, run: settle(async pending => {
			const [first, second] = await Promise.all([pending.json(), pending.json()]) as [object, object];
			return [first === second, Object.is(await pending, await pending)];
		}),
	},
	{
		title: 'a request that nobody waits for', isFast: true, async run({request, url}) {
			void request(url);
			await nextTurn();
		},
	},
	{title: 'a listener of `response`', isFast: true, run: async ({request, url, recorder}) => recorder.promise(request(url))},
	{
		title: 'a listener of `response` after a shortcut', isFast: true, run: settle(async (pending, {recorder}) => {
			const body = pending.json();
			void pending.on('response', given => {
				recorder.note('response', given.request.options.headers.accept);
			});
			return [await body, await pending];
		}),
	},
	{
		title: 'a shortcut after a listener', isFast: true, run: settle(async (pending, {recorder}) => pending.on('downloadProgress', progress => {
			recorder.note('progress', progress);
		}).json()),
	},
	{
		title: 'a listener of a shortcut', isFast: true, run: settle(async (pending, {recorder}) => (pending.json() as RequestPromise).on('response', given => {
			recorder.note('response', given.statusCode);
		})),
	},
	{
		title: 'a listener that is removed', isFast: true, run: settle(async (pending, {recorder}) => {
			const listener = (): void => {
				recorder.note('response');
			};

			return pending.on('response', listener).off('response', listener).off('response', listener).text();
		}),
	},
	{
		title: '`once`', only: '15 16', isFast: true, run: settle(async (pending, {recorder}) => pending.once('response', () => {
			recorder.note('response');
		}).text()),
	},
	{
		title: '`then`, `catch` and `finally`', isFast: true, run: settle(async (pending, {recorder}) => {
			recorder.note('is a promise', [pending instanceof Promise, Object.prototype.toString.call(pending)]);
			return pending.then(given => (given as Response).body).catch(() => 'failed').finally(() => {
				recorder.note('finally');
			});
		}),
	},
	{
		title: 'the errors of `then`, `catch` and `finally`', path: '/text', isFast: true, run: settle(async (pending, {recorder}) => pending.json()
			.catch((error: unknown) => recorder.error(error)).finally(() => {
				recorder.note('finally');
			})),
	},
	{
		title: 'a canceled request', only: '14', isFast: true, run: settle(async (pending, {recorder}) => {
			const {cancel} = pending as unknown as {cancel: () => void};
			cancel.call(pending);
			recorder.note('is canceled', (pending as unknown as {isCanceled: boolean}).isCanceled);
			return pending;
		}),
	},
	{
		title: 'canceled after the answer', only: '14', isFast: true, run: settle(async (pending, {recorder}) => {
			const body = await pending.json();
			const canceled = pending as unknown as {cancel: () => void; isCanceled: boolean};
			canceled.cancel();
			recorder.note('is canceled', canceled.isCanceled);
			return [body, await pending];
		}),
	},
	{title: 'inside `withoutNetwork`', isFast: true, run: async stage => withoutNetwork(async () => settle(json)(stage))},
	{title: 'inside `runWithSettings`', isFast: true, run: async stage => runWithSettings({expireAfter: '1m'}, async () => settle(response)(stage))},
	{
		title: 'a cache that is disabled before Got begins', isFast: true, run: settle(async (pending, {client}) => {
			client.cacheSettings.disabled = true;
			return pending.json();
		}),
	},
	{
		title: 'a clock that moves before Got begins', isFast: true, run: settle(async (pending, {clock}) => {
			clock.advance(600);
			return pending.json();
		}),
	},
	{
		title: 'HTTPS', isSecure: true, isFast: true, run: settle(response),
	},
	{
		title: 'HTTPS with TLS settings of its own', isSecure: true, isFast: false, async run(stage) {
			await settle(json)(stage);
			const strict = stage.client.extend({https: {minVersion: 'TLSv1.3'}});
			await stage.recorder.settle(strict(stage.url).json());
			await stage.recorder.settle(strict(stage.url).json());
			await settle(json, {headers: {host: 'example.com'}})(stage);
		},
	},
	{
		title: 'an authorization', isFast: false, async run(stage) {
			await settle(response, {headers: {authorization: 'Bearer a'}})(stage);
			await settle(json, {headers: {authorization: 'Bearer a'}})(stage);
			await settle(json, {headers: {authorization: 'Bearer b'}})(stage);
		},
	},
];

const slow: ReadonlyArray<Omit<Scenario, 'isFast'>> = [
	{title: 'a miss', run: async ({request, url, recorder}) => recorder.settle(request(`${url}?other`).json())},
	{title: 'another store', settings: () => ({store: new Map()}), run: settle(json)},
	{title: '`extend` with a cache of Got', extend: () => ({cache: new Map()}), run: settle(text)},
	{
		title: 'a stale response', async run(stage) {
			stage.clock.advance(600);
			await settle(json)(stage);
		},
	},
	{
		title: 'a stale response that is refreshed in the background', settings: () => ({staleWhileRevalidate: true}), async run(stage) {
			stage.clock.advance(600);
			await settle(response)(stage);
		},
	},
	{
		title: 'a response that varies', path: '/vary', settings: () => ({cacheControl: true}), run: settle(json),
	},
	{
		title: 'a response that varies by `Accept`', path: '/accept', settings: () => ({cacheControl: true}), run: settle(json),
	},
	{title: 'a function for keys', settings: () => ({keyFn: ({url}) => url}), run: settle(json)},
	{title: 'a stored error', path: '/404', run: settle(json)},
	{title: 'a stored error without an exception', path: '/404', run: settle(response, {throwHttpErrors: false})},
	{title: 'a stored redirect', path: '/redirect', run: settle(response)},
	{title: 'a stored redirect that is not followed', path: '/redirect', run: settle(response, {followRedirect: false})},
	{title: 'a cache that is disabled', run: async stage => stage.client.cache.disabled(async () => settle(json)(stage))},
	...([
		['refresh', {refresh: true}],
		['force refresh', {forceRefresh: true}],
		['a wrong setting', {expireAfter: '5 parsecs'}],
		['an unknown option', {expireAfer: '5m'}],
		['wrong headers', {headers: {'x y': '1'}}],
		['a wrong option', {responseType: 'xml'}],
		['no cache for the request', {headers: {'cache-control': 'no-cache'}}],
		['not stored for the request', {headers: {'cache-control': 'no-store'}}],
		['only what is younger', {headers: {'cache-control': 'max-age=0'}}],
		['a range', {headers: {range: 'bytes=0-3'}}],
		['a condition', {headers: {'if-none-match': '"1"'}}],
		['another condition', {headers: {'if-match': '"2"'}}],
		['another host', {headers: {host: 'example.com'}}],
		['another method by a header', {headers: {'x-http-method-override': 'DELETE'}}],
		['another method', {method: 'HEAD'}],
		['a list of lines', {headers: {'x-a': ['1', '2']}}],
		['no `User-Agent`', {headers: {'user-agent': undefined}}],
		['parameters', {searchParams: {a: 1}}],
		['a hook', {hooks: {afterResponse: [(given: Response) => Object.assign(given, {body: 'changed'})]}}],
		['a parser', {parseJson: () => 'parsed'}],
		['a context', {context: {a: 1}}],
		['credentials', {username: 'a', password: 'b'}],
		['a signal', {signal: AbortSignal.abort()}],
		['an encoding', {encoding: 'base64'}],
		['a stream', {isStream: undefined}],
		['a request function', {request: undefined}],
	] as const).map(([title, options]) => ({title, settings: () => ({cacheControl: true}), run: settle(title === 'another method' ? response : text, options)})),
	...([
		['a function for partitions', {partitionBy: () => 'a'}],
		['a filter', {filterFn: () => true}],
		['headers in the key', {matchHeaders: ['accept']}],
		['always revalidated', {alwaysRevalidate: true}],
		['recordings', {mode: 'record'}],
		['never fresh', {expireAfter: 0}],
	] as ReadonlyArray<[string, CacheSettings]>).map(([title, settings]) => ({title, settings: () => settings, run: settle(json)})),
	...([
		['`extend` with hooks', {hooks: {beforeRequest: [() => {}]}}],
		['`extend` with an `init` hook', {hooks: {init: [() => {}]}}],
		['`extend` with handlers', {handlers: [(options: never, next: (options: never) => unknown) => next(options)]}],
		['`extend` with `mutableDefaults`', {mutableDefaults: true}],
		['`extend` with a prefix', {prefixUrl: 'http://127.0.0.1:9'}],
		['`extend` with credentials', {username: 'a'}],
		['`extend` with a method', {method: 'HEAD'}],
		['`extend` with a parser', {parseJson: () => 'parsed'}],
		['`extend` with an encoding', {encoding: 'latin1'}],
		['`extend` with `decompress`', {decompress: false}],
		['`extend` with parameters', {searchParams: {a: '1'}}],
		['`extend` with a function for redirects', {followRedirect: () => false}],
		['`extend` with a cookie jar', {cookieJar: {getCookieString: async () => 'a=1', async setCookie() {}}}],
		['`extend` with a signal', {signal: AbortSignal.timeout(100_000)}],
		['`extend` with a list of lines', {headers: {'x-a': ['1', '2']}}],
	] as ReadonlyArray<[string, object]>).map(([title, extend]) => ({title, extend: () => extend, run: settle(text)})),
];

for (const [name, instance] of majors) {
	for (const scenario of [...fast, ...slow.map(scenario => ({...scenario, isFast: false}))]) {
		if (scenario.only?.includes(name.slice(-2)) !== false) {
			// A handshake takes long while all other tests run.
			(scenario.isSecure ? test.serial : test)(`${name}: ${scenario.isFast ? 'a fast hit is what Got gives' : 'Got makes the request'}: ${scenario.title}`, async t => {
				await compare(t, instance, scenario);
			});
		}
	}
}

/** Calls with any plain or less plain options, whose answers are read in any order. */
const anyScenario: fc.Arbitrary<Scenario> = fc.record({
	path: fc.constantFrom(...Object.keys(bodies), '/404', '/redirect', '/204'),
	options: fc.record({
		headers: fc.dictionary(fc.constantFrom('Accept', 'X-A', 'authorization', 'cookie', 'range', 'cache-control', 'if-none-match'), fc.constantFrom('a', 'bytes=0-1', 'no-cache', 'only-if-cached', 'max-age=10', '"1"'), {maxKeys: 2}),
		responseType: fc.constantFrom('text', 'json', 'buffer'),
		resolveBodyOnly: fc.boolean(),
		throwHttpErrors: fc.boolean(),
		expireAfter: fc.constantFrom('1m', '10m', 0),
		refresh: fc.constantFrom(false, false, false, true),
		onlyIfCached: fc.boolean(),
		staleIfError: fc.boolean(),
	}, {requiredKeys: []}),
	settings: fc.record({
		cacheControl: fc.boolean(),
		cacheStatus: fc.constantFrom<false | string>(false, 'test'),
		staleWhileRevalidate: fc.boolean(),
		storeSetCookie: fc.boolean(),
		partitionBy: fc.constantFrom<'credentials' | false>('credentials', false),
		matchHeaders: fc.constantFrom(false, false, ['x-a']),
	}, {requiredKeys: []}),
	extend: fc.record({
		responseType: fc.constantFrom('text', 'json', 'buffer'),
		resolveBodyOnly: fc.boolean(),
		expireAfter: fc.constantFrom('2m', '10s'),
		headers: fc.dictionary(fc.constantFrom('accept', 'x-b'), fc.constantFrom('a', 'b'), {maxKeys: 2}),
	}, {requiredKeys: []}),
	seconds: fc.constantFrom(0, 0, 0, 5, 70, 400),
	sequence: fc.array(fc.constantFrom(...Object.values(reads), async (pending: RequestPromise) => pending), {minLength: 1, maxLength: 3}),
	isParallel: fc.boolean(),
}).map(({path, options, settings, extend, seconds, sequence, isParallel}) => ({
	title: JSON.stringify([path, options, settings, extend, seconds, sequence.map(({name}) => name), isParallel]),
	path,
	settings: () => settings,
	extend: () => extend,
	async run(stage) {
		stage.clock.advance(seconds);
		const pending = stage.request(stage.url, options);
		if (isParallel) {
			await Promise.all(sequence.map(async read => stage.recorder.settle(read(pending, stage))));
			return;
		}

		for (const read of sequence) {
			await stage.recorder.settle(read(pending, stage));
		}
	},
}));

for (const [name, instance] of majors) {
	test(`${name}: any request is answered as by Got`, async t => {
		const seen = new Set<boolean>();
		await fc.assert(fc.asyncProperty(anyScenario, async scenario => {
			seen.add(await compare(t, instance, scenario));
		}), {numRuns: 80});
		t.is(seen.size, 2, 'fast hits and others');
	});

	test.serial(`${name}: a subscriber of Got's diagnostics channels gets its messages`, async t => {
		const messages: unknown[] = [];
		const note = (_message: unknown, channel: string | symbol): void => {
			messages.push(channel);
		};

		const names = ['got:request:create', 'got:response:end'];
		for (const channel of names) {
			subscribe(channel, note);
		}

		t.teardown(() => {
			for (const channel of names) {
				unsubscribe(channel, note);
			}
		});
		const client = createCachedGot({store: 'memory'}, instance);
		await client.cache.save({url: 'http://127.0.0.1:9/'}, {body: 'stored'});
		t.is(await client('http://127.0.0.1:9/').text(), 'stored');
		t.deepEqual(messages.filter(message => names.includes(message as string)), names);
	});
}

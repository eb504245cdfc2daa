import diagnostics from 'node:diagnostics_channel';
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {
	ExtendOptions,
	Got,
	Options,
	OptionsInit,
	RequestPromise,
} from 'got';
import {CookieJar} from 'tough-cookie';
import {runWithSettings} from '../../../source/exchange/scope.ts';
import {cacheInfo, getCache, type CacheSettings} from '../../../source/index.ts';
import {SpentResponse} from '../../../source/got/lane/spent-response.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {Origin, type Handler} from '../../helpers/origin.ts';
import {startedBy, warm} from './lane-clients.ts';
import {LaterStore} from './later-store.ts';

const body = '{"list":[1,2]}';

const handler: Handler = (request, response) => {
	const {pathname} = new URL(request.url!, 'http://localhost');
	switch (pathname) {
		case '/missing': {
			response.writeHead(404).end(body);
			break;
		}

		case '/moved': {
			response.writeHead(302, {location: '/there'}).end();
			break;
		}

		case '/marked': {
			response.end(`\u{FEFF}${body}`);
			break;
		}

		case '/broken': {
			response.end('{"broken');
			break;
		}

		default: {
			response.setHeader('content-type', 'application/json');
			response.end(body);
		}
	}
};

/** One client, one request, and what is read of it. */
type Asked = {
	readonly path?: string;
	readonly settings?: CacheSettings;
	readonly extend?: (client: Got) => Got;
	readonly options?: OptionsInit;
	readonly read?: (pending: RequestPromise) => Promise<unknown>;

	/** What the second request is made in. */
	readonly within?: (action: () => Promise<unknown>) => Promise<unknown>;
};

/** What takes the lane. */
const plain: Readonly<Record<string, Asked>> = {
	'a URL alone': {},
	'.json()': {read: async pending => pending.json()},
	'.text()': {read: async pending => pending.text()},
	'.buffer()': {read: async pending => pending.buffer()},
	'the body alone': {options: {resolveBodyOnly: true}},
	'JSON wanted': {options: {responseType: 'json'}},
	'bytes wanted': {options: {responseType: 'buffer'}},
	headers: {options: {headers: {accept: 'text/html', 'x-list': 'mine'}}},
	parameters: {options: {searchParams: {a: 1}}},
	'a context': {options: {context: {mine: 1, cache: {expireAfter: '1m'}}}},
	retries: {options: {retry: {limit: 2}}},
	'a time limit': {options: {timeout: {request: 5000}}},
	'a signal': {options: {signal: new AbortController().signal}},
	'hooks that a hit does not reach': {options: {hooks: {beforeError: [error => error], beforeRetry: [() => {}], beforeRedirect: [() => {}]}}},
	'an extended client': {extend: client => client.extend({headers: {mine: 'mine'}}, {timeout: {request: 5000}})},
	'a store that answers later': {settings: {store: new LaterStore({now: () => 0})}},
	'a header that is matched': {settings: {matchHeaders: ['accept']}, options: {responseType: 'json'}},
	'settings of a call tree': {within: async action => runWithSettings({expireAfter: '1m'}, action)},
};

const noting = (options: ExtendOptions): Asked => ({extend: client => client.extend(options)});
const next: (options: Options, hand: (options: Options) => unknown) => never = (options, hand) => hand(options) as never;

/** What does not, and the reason for it. */
const ordinary: Readonly<Record<string, Asked>> = {
	'the lane is off': {settings: {fastLane: false}},
	'faults are told': {settings: {failFast: true}},
	'only recordings answer': {settings: {mode: 'record-missing', fastLane: false}},
	'a beforeRequest hook would run': noting({hooks: {beforeRequest: [() => {}]}}),
	'an afterResponse hook would run': noting({hooks: {afterResponse: [response => response]}}),
	'an init hook would see the marks': noting({hooks: {init: [() => {}]}}),
	'a hook of the request would run': {options: {hooks: {beforeRequest: [() => {}]}}},
	'a handler stands behind': noting({handlers: [next]}),
	'an instance stands behind, which may have handlers': {extend: client => client.extend(client.extend({headers: {mine: 'mine'}}))},
	'defaults may change': noting({mutableDefaults: true}),
	'a cookie jar is asked': {options: {cookieJar: new CookieJar()}},
	'a password is sent': {options: {username: 'mine', password: 'mine'}},
	'nothing is decoded': {options: {decompress: false}},
	'another encoding is read': {options: {encoding: 'latin1'}},
	'JSON is read by another function': {options: {parseJson: text => JSON.parse(text) as unknown}},
	'Got\'s own cache is asked': {options: {cache: new Map() as never}},
	'the method is no GET': {options: {method: 'HEAD'}},
	'a header is a list': {options: {headers: {mine: ['1', '2']}}},
	'a header is left out': {options: {headers: {'user-agent': undefined}}},
	'no coding is accepted': {options: {headers: {'accept-encoding': undefined}}},
	'an error status is stored': {path: '/missing', settings: {allowableCodes: [404]}, options: {throwHttpErrors: false}},
	'a redirect is stored': {path: '/moved', settings: {allowableCodes: [200, 302]}},
	'a body begins with a mark': {path: '/marked'},
	'a body is no JSON, and that is wanted': {path: '/broken', read: async pending => pending.json().catch(() => undefined)},
	'a caller listens': {read: async pending => pending.on('downloadProgress', () => {})},
	'a caller does not listen any more': {read: async pending => pending.on('downloadProgress', () => {}).off('downloadProgress', () => {})},
	'a setting of the request is wrong': {options: {context: {cache: {expireAftr: 1}}}, read: async pending => pending.catch(() => undefined)},
	'the request is over before it began': {options: {signal: AbortSignal.abort()}, read: async pending => pending.catch(() => undefined)},
	'there is no time': {options: {timeout: {request: 0}}, read: async pending => pending.catch(() => undefined)},
	'the store is waited for, and a time limit as well': {settings: {store: new LaterStore({now: () => 0})}, options: {timeout: {request: 5000}}},
	'the cache is off here': {within: async action => runWithSettings({disabled: true}, action)},
	'a refresh is asked for': {options: {context: {cache: {refresh: true}}}},
	...Object.fromEntries(['create', 'start', 'error'].map(name => [`somebody hears of got:request:${name}`, {
		async within(action: () => Promise<unknown>) {
			const subscriber = (): void => {};
			diagnostics.subscribe(`got:request:${name}`, subscriber);
			try {
				return await action();
			} finally {
				diagnostics.unsubscribe(`got:request:${name}`, subscriber);
			}
		},
	}])),
};

async function ask(instance: Got, {path = '/', settings, extend = client => client, options = {}, read = async pending => pending, within = async action => action()}: Asked): Promise<{readonly started: number; readonly value: unknown; readonly sent: number}> {
	await using origin = await Origin.start(handler);
	const client = extend(createClient({...settings, ...(settings?.store instanceof LaterStore && {store: new LaterStore({now: () => 0})})}, instance).client);
	await warm(createClient({}, instance).client, origin.url);
	const url = origin.url + path;
	await client(url, {throwHttpErrors: false}).catch(() => undefined);
	await client(url, {...options, throwHttpErrors: false} as OptionsInit).catch(() => undefined);
	await getCache(client)!.idle();
	await turn();
	const before = origin.count;
	let value: unknown;
	const started = await startedBy(instance, async () => within(async () => {
		const pending: unknown = client(url, options);
		value = await read(pending as RequestPromise);
	}));
	return {started, value, sent: origin.count - before};
}

for (const [name, instance] of majors) {
	for (const [title, asked] of Object.entries(plain)) {
		test.serial(`${name}: Got starts no request for a hit with ${title}`, async t => {
			const fast = await ask(instance, asked);
			t.like(fast, {started: 0, sent: 0});
			const slow = await ask(instance, {...asked, settings: {...asked.settings, fastLane: false}});
			t.like(slow, {started: 1, sent: 0});
			t.deepEqual(bodyOf(fast.value), bodyOf(slow.value));
			t.is(fast.value instanceof SpentResponse, isResponse(slow.value));
		});
	}

	for (const [title, asked] of Object.entries(ordinary)) {
		test.serial(`${name}: Got starts a request where ${title}`, async t => {
			t.is((await ask(instance, asked)).started, 1);
		});
	}

	for (const options of [{nonsense: true}, {headers: {mine: 'mine'}, timeout: 'soon'}, {timeout: 'soon', headers: {mine: 'mine'}}, {context: 'mine'}, {responseType: 5, hooks: {}}, {searchParams: [['a', '1']]}]) {
		test.serial(`${name}: what Got refuses is an error, whatever is stored: ${JSON.stringify(options)}`, async t => {
			const read = async (pending: RequestPromise): Promise<unknown> => pending.catch((error: unknown) => error);
			const {value, sent} = await ask(instance, {options: options as never, read});
			t.like(value, {name: 'RequestError'});
			t.is(sent, 0);
		});
	}

	test.serial(`${name}: a hit on the lane is known to the cache as any other`, async t => {
		const {value} = await ask(instance, {});
		t.like(cacheInfo(value as never), {fromCache: true, reason: 'fresh'});
	});
}

function isResponse(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'requestUrl' in value;
}

function bodyOf(value: unknown): unknown {
	return isResponse(value) ? (value as {body: unknown}).body : value;
}

import {getEventListeners} from 'node:events';
import http from 'node:http';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Got, OptionsInit, RequestError} from 'got';
import type {CacheSettings} from '../../source/index.ts';
import {Sharing} from '../../source/exchange/sharing.ts';
import {clientOfInstance} from '../../source/got/cache-hooks.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Gate, settle} from '../helpers/gate.ts';
import {Origin} from '../helpers/origin.ts';
import {testUnhandledRejections} from '../helpers/unhandled-rejections.ts';

testUnhandledRejections(test);

const never = async (): Promise<never> => new Promise(() => {});

type Place = {
	/** The settings with which the request waits. */
	readonly settings: () => CacheSettings;

	/** Sends the request that it waits for, if that is of this process or another. */
	readonly lead?: (client: Got, url: string, settings: CacheSettings) => Promise<unknown>;
};

const lead: Place['lead'] = async (client, url) => client(url);

/** The places where a request may wait before it is sent. */
const places: Readonly<Record<string, Place>> = {
	'another request': {settings: () => ({}), lead},
	'another request, after a slow store': {
		settings: () => ({store: new Map() as never}), lead,
	},
	'the lock of another process': {
		settings: () => ({store: new MemoryStore(), lock: true, now: () => Date.now()}),
		// Another cache on the same store knows as little of the others as another process.
		lead: async (_client, url, settings) => createClient(settings).client(url),
	},
	'a slow store': {settings: () => ({store: Object.assign(new MemoryStore(), {get: never}), storeTimeout: 20_000})},
	'a slow `keyFn`': {settings: () => ({keyFn: never})},
};

type Limit = {
	readonly options: (controller: AbortController) => OptionsInit;

	/** Whether the caller aborts by its signal. */
	readonly isAborted?: true;
};

// Milliseconds; in less, a busy machine may not have come to send the request.
const limitTime = 3000;

const limits: Readonly<Record<string, Limit>> = {
	'its signal': {options: ({signal}) => ({signal}), isAborted: true},
	'a signal with a time': {options: () => ({signal: AbortSignal.timeout(limitTime)})},
	'`timeout.request`': {options: () => ({timeout: {request: limitTime}})},
	'`timeout.response`': {options: () => ({timeout: {response: limitTime}})},
	'`timeout.socket`': {options: () => ({timeout: {socket: limitTime}})},
};

function describe(error: unknown): unknown {
	const {name, code, message, event, cause, request, response, options} = error as RequestError & {event?: unknown};
	return {
		constructor: (error as Error).constructor.name,
		name,
		code,
		message,
		event,
		cause: cause instanceof Error ? {name: cause.name, message: cause.message} : cause,
		hasRequest: request !== undefined,
		hasOptions: options !== undefined,
		response,
	};
}

type Api = (client: Got, url: string, options: OptionsInit) => Promise<unknown>;

const apis: Readonly<Record<string, Api>> = {
	promise: async (client, url, options) => client(url, options as object),
	stream: async (client, url, options) => readStream(client.stream(url, options as object)),
};

async function failure(pending: Promise<unknown>): Promise<unknown> {
	try {
		return ['answered', await pending];
	} catch (error) {
		return describe(error);
	}
}

function timers(): number {
	return process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
}

/** Asks for what the place holds back, within the limit; gives how that fails. */
async function failHeldBack(t: ExecutionContext, instance: Got, place: Place, {limit: {options, isAborted}, ask}: {readonly limit: Limit; readonly ask: Api}): Promise<unknown> {
	const gate = new Gate();
	await using origin = await Origin.start(gate.handler);
	const settings = place.settings();
	const {client} = createClient(settings, instance);
	const leader = place.lead?.(client, origin.url, settings);
	leader?.catch(async () => {});
	const response = leader && await gate.next();
	const controller = new AbortController();
	const given = options(controller);
	const sent = origin.count;
	const pending = failure(ask(client, origin.url, given));
	await settle();
	if (isAborted) {
		controller.abort();
	}

	// What it waits for does not end before.
	const failed = await pending;
	t.is(getEventListeners(given.signal ?? controller.signal, 'abort').length, 0);
	response?.end('answer');
	await leader;
	await delay(110);
	t.is(origin.count, sent, 'What was given up is not sent');
	t.is(Sharing.of(clientOfInstance(client).cache).size, 0);
	return failed;
}

for (const [name, instance] of majors) {
	for (const [title, limit] of Object.entries(limits)) {
		for (const [api, ask] of Object.entries(apis)) {
			test(`${name}, ${api}: ${title} ends a waiting request in the same way as a sent one`, async t => {
				await using origin = await Origin.start(() => {});
				const controller = new AbortController();
				const plainly = failure(ask(instance.extend({retry: {limit: 0}}), origin.url, limit.options(controller)));
				await settle();
				if (limit.isAborted) {
					controller.abort();
				}

				const plain = await plainly;
				t.log(plain);
				await Promise.all(Object.entries(places).map(async ([where, place]) => {
					t.deepEqual(await failHeldBack(t, instance, place, {limit, ask}), plain, where);
				}));
			});
		}
	}

	test.serial(`${name}: waiting for another request or process leaves no timer`, async t => {
		const before = timers();
		for (const where of ['another request', 'the lock of another process']) {
			await failHeldBack(t, instance, places[where]!, {limit: limits['its signal']!, ask: apis.promise!});
			t.true(timers() <= before, `after the wait for ${where}`);
		}
	});

	test.serial(`${name}: a request that has waited has the rest of its timeout, and its error names the whole timeout`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		for (const request of [undefined, async (url: URL, options: http.RequestOptions) => {
			await delay(10);
			return http.request(url, options);
		}]) {
			const {client} = createClient({store: new Map() as never}, instance);
			const controller = new AbortController();
			const leader = client(origin.url, {signal: controller.signal});
			leader.catch(async () => {});
			await gate.next();
			const waiter = client(origin.url, {timeout: {request: 1500}, request: request as never});
			const ended = (async () => {
				await t.throwsAsync(waiter, {name: 'TimeoutError', message: 'Timeout awaiting \'request\' for 1500ms'});
				return 'the waiter';
			})();
			const order = Promise.race([ended, delay(1450, 'an earlier timer')]);
			// With its whole timeout again, it would end after this one.
			const laterOrder = Promise.race([ended, delay(2400, 'a later timer')]);
			await delay(1000);
			controller.abort();
			await gate.next();
			t.is(await order, 'an earlier timer');
			t.is(await laterOrder, 'the waiter');
		}
	});

	test.serial(`${name}: \`timeout.response\` includes the wait for a request that is sent instead and does not respond`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client.stream(origin.url);
		leader.on('error', () => {});
		const first = await gate.next();
		first.writeHead(200, {'content-length': '1000'});
		first.write('begun');
		const second = client(origin.url);
		await settle();
		const third = client(origin.url, {timeout: {response: 200}});
		third.catch(async () => {});
		await delay(300);
		leader.destroy();
		const next = await gate.next();
		await t.throwsAsync(third, {name: 'TimeoutError', message: 'Timeout awaiting \'response\' for 200ms'});
		t.is(origin.count, 2);
		next.end('answer');
		t.is((await second).body, 'answer');
	});

	test.serial(`${name}: Got retries a request that times out while it waits like any other`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client(origin.url);
		const first = await gate.next();
		let retries = 0;
		const waiter = client(origin.url, {
			timeout: {request: 100},
			retry: {limit: 2, calculateDelay: ({computedValue}) => computedValue > 0 ? 1 : 0},
			hooks: {
				beforeRetry: [() => {
					retries++;
				}],
			},
		});
		await t.throwsAsync(waiter, {name: 'TimeoutError'});
		t.is(retries, 2);
		t.is(origin.count, 1);
		first.end('answer');
		t.is((await leader).body, 'answer');
	});
}

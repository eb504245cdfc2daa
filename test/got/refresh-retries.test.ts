import {once} from 'node:events';
import {createServer, request as sendRequest, type ClientRequest} from 'node:http';
import {Writable} from 'node:stream';
import {stat} from 'node:fs/promises';
import {mock} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import type got from 'got';
import type {Got, OptionsInit} from 'got';
import {cannedResponse, type Canned} from '../helpers/canned-response.ts';
import {majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {reasonOf, refreshingClient} from '../helpers/refreshing.ts';

// These are AVA's tests, which have no context of `node:test`.
const {timers} = mock;
const url = 'https://example.com/';

test.serial.beforeEach(() => {
	timers.enable({apis: ['setTimeout']});
});

test.serial.afterEach.always(() => {
	timers.reset();
});

/** Resolves when everything has happened that does not wait for a timer. */
async function settle(): Promise<void> {
	for (let round = 0; round < 3; round++) {
		// What waits for a thread has had one by then, also on a busy machine.
		await Promise.all(Array.from({length: 8}, async () => stat('.')));
		for (let turn = 0; turn < 20; turn++) {
			await nextTurn();
		}
	}
}

async function passTime(milliseconds: number): Promise<void> {
	timers.tick(milliseconds);
	await settle();
}

const failure = (code: string | undefined, message = `fails by ${code}`): Error => Object.assign(new Error(message), code !== undefined && {code});

type Attempt = Canned | Error | 'hangs';

/** A client whose stored response has been served stale, and is refreshed by these attempts. */
async function refreshBy(instance: typeof got, attempts: readonly Attempt[], options: OptionsInit = {}) {
	const refreshing = refreshingClient(instance);
	let count = -1;
	const client = refreshing.client.extend({
		async request() {
			count++;
			const attempt = count === 0 ? {body: 'answer 0'} : attempts[count - 1]!;
			if (attempt instanceof Error) {
				throw attempt;
			}

			return attempt === 'hangs' ? new Promise(() => {}) : cannedResponse({body: `answer ${count}`, ...attempt});
		},
	}, options) as Got;
	await client(url);
	refreshing.expire();
	const response = await client(url);
	await settle();
	return {
		...refreshing,
		client,
		response,
		get count() {
			return count;
		},
	};
}

const transient: ReadonlyArray<readonly [title: string, attempt: Attempt]> = [
	...[408, 429, 500, 502, 503, 504].map(statusCode => [`a ${statusCode}`, {statusCode}] as const),
	...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'ERR_HTTP2_STREAM_ERROR'].map(code => [`an ${code}`, failure(code)] as const),
];

const final: ReadonlyArray<readonly [title: string, attempt: Attempt, error: string | undefined]> = [
	...[400, 403, 404, 410, 413].map(statusCode => [`a ${statusCode}`, {statusCode}, undefined] as const),
	...[501, 505, 521].map(statusCode => [`a ${statusCode}`, {statusCode}, 'ERR_REFRESH_FAILED'] as const),
	...[401, 407].map(statusCode => [`a ${statusCode}`, {statusCode}, 'ERR_REFRESH_REJECTED'] as const),
	...[408, 429, 500, 502, 503, 504].map(statusCode => [`a ${statusCode} with \`Retry-After\``, {statusCode, headers: {'retry-after': '1'}}, 'ERR_REFRESH_FAILED'] as const),
	['a certificate that cannot be verified', failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
	['a response that is not HTTP', failure('HPE_INVALID_CONSTANT'), 'HPE_INVALID_CONSTANT'],
	['a TypeError', new TypeError('fault'), undefined],
];

for (const [name, instance] of majors) {
	for (const [title, attempt] of transient) {
		test.serial(`${name}: a refresh is retried once, a second after ${title}`, async t => {
			const refreshed = await refreshBy(instance, [attempt, {}]);
			t.is(refreshed.response.body, 'answer 0');
			t.is(refreshed.count, 1);
			await passTime(999);
			t.is(refreshed.count, 1);
			await passTime(1);
			t.is(refreshed.count, 2);
			await refreshed.idle();
			t.deepEqual(refreshed.errors, []);
			const last = await refreshed.client(url);
			t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
		});

		test.serial(`${name}: a refresh is not retried a second time after ${title}`, async t => {
			const refreshed = await refreshBy(instance, [attempt, attempt, {}]);
			await passTime(1000);
			await refreshed.idle();
			t.is(refreshed.count, 2);
			t.is(refreshed.errors.length, 1);
			t.is(refreshed.errors[0]!.code, attempt instanceof Error ? (attempt as Error & {code: string}).code : 'ERR_REFRESH_FAILED');
			t.is(reasonOf(await refreshed.client(url)), 'stale-while-revalidate');
			await settle();
			await passTime(1000);
			await refreshed.idle();
		});
	}

	test.serial(`${name}: a refresh is retried once after a truncated body, and not again`, async t => {
		const cut: Attempt = {headers: {'content-length': '100'}, body: 'a part', error: failure('ECONNRESET')};
		for (const [attempts, codes, reason] of [[[cut, {}], [], 'fresh'], [[cut, cut, {}], ['ECONNRESET'], 'stale-while-revalidate']] as const) {
			const refreshed = await refreshBy(instance, attempts);
			t.is(refreshed.count, 1);
			await passTime(1000);
			await refreshed.idle();
			t.is(refreshed.count, 2);
			t.deepEqual(refreshed.errors.map(({code}) => code), codes);
			t.is(reasonOf(await refreshed.client(url)), reason);
			await settle();
			await passTime(1000);
			await refreshed.idle();
		}
	});

	test.serial(`${name}: no request waits during the delay before a retry of a refresh, and a response that another request replaces meanwhile is not requested again`, async t => {
		const refreshed = await refreshBy(instance, [failure('ECONNRESET'), {}, {}]);
		t.is(refreshed.count, 1);
		const renewed = await refreshed.client(url, {context: {cache: {staleWhileRevalidate: false}}});
		t.deepEqual([renewed.body, reasonOf(renewed), refreshed.count], ['answer 2', 'stale', 2]);
		await passTime(1000);
		await refreshed.idle();
		t.is(refreshed.count, 2);
		t.deepEqual(refreshed.errors, []);
	});

	for (const [title, attempt, code] of final) {
		test.serial(`${name}: a refresh is not retried after ${title}`, async t => {
			const refreshed = await refreshBy(instance, [attempt, {}]);
			await refreshed.idle();
			t.is(refreshed.count, 1);
			t.is(refreshed.errors.length, code === undefined && !(attempt instanceof Error) ? 0 : 1);
			t.is(refreshed.errors[0]?.code, code);
		});
	}

	test.serial(`${name}: an error status in \`allowableCodes\` is retried once, and then stored`, async t => {
		const refreshing = refreshingClient(instance, {allowableCodes: [200, 503]});
		let count = -1;
		const client = refreshing.client.extend({
			throwHttpErrors: false,
			async request() {
				count++;
				return cannedResponse({statusCode: count === 0 ? 200 : 503, body: `answer ${count}`});
			},
		}) as Got;
		await client(url);
		refreshing.expire();
		await client(url);
		await settle();
		await passTime(1000);
		await refreshing.idle();
		t.is(count, 2);
		t.deepEqual(refreshing.errors, []);
		const last = await client(url);
		t.deepEqual([last.body, last.statusCode, reasonOf(last)], ['answer 2', 503, 'fresh']);
	});

	for (const [title, timeout, limit] of [
		['the `timeout.request` of its request', {request: 5000}, 5000],
		['60 seconds without `timeout.request`', {}, 60_000],
		['60 seconds if `timeout.request` is longer', {request: 120_000}, 60_000],
		['60 seconds if `timeout.request` is infinite', {request: Infinity}, 60_000],
		['a `timeout.request` with a fraction of a millisecond', {request: 1500.5}, 1501],
	] as const) {
		test.serial(`${name}: a refresh times out after ${title}`, async t => {
			const refreshed = await refreshBy(instance, ['hangs', {}], {timeout});
			await passTime(limit - 1);
			t.deepEqual(refreshed.errors, []);
			await passTime(1);
			await refreshed.idle();
			t.is(refreshed.count, 1);
			const [error] = refreshed.errors;
			t.is(refreshed.errors.length, 1);
			t.is(error!.name, 'TimeoutError');
			t.is(error!.code, 'ERR_REFRESH_TIMEOUT');
			t.regex(error!.message, /^The refresh of https:\/\/example\.com\/ took longer than \d+(?:\.\d+)? ms\.$/v);
		});
	}

	test.serial(`${name}: both attempts of a refresh share its time limit`, async t => {
		const refreshed = await refreshBy(instance, [{statusCode: 503}, 'hangs'], {timeout: {request: 3000}});
		await passTime(1000);
		t.is(refreshed.count, 2);
		await passTime(1999);
		t.deepEqual(refreshed.errors, []);
		await passTime(1);
		await refreshed.idle();
		t.deepEqual(refreshed.errors.map(({code}) => code), ['ERR_REFRESH_TIMEOUT']);
	});

	test.serial(`${name}: a refresh without time for a second attempt fails with the error of the first`, async t => {
		const refreshed = await refreshBy(instance, [failure('ECONNRESET'), {}], {timeout: {request: 900}});
		await refreshed.idle();
		t.deepEqual(refreshed.errors.map(({code}) => code), ['ECONNRESET']);
		t.is(refreshed.count, 1);
	});

	test.serial(`${name}: a refresh whose body never ends ends at its time limit`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count > 1) {
				response.write('part');
			} else {
				response.end('answer');
			}
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url, {timeout: {request: 5000}});
		while (origin.count < 2) {
			await nextTurn();
		}

		await passTime(4999);
		t.deepEqual(errors, []);
		await passTime(1);
		await idle();
		t.deepEqual(errors.map(({code}) => code), ['ERR_REFRESH_TIMEOUT']);
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer', 'stale-while-revalidate']);
		await passTime(60_000);
		await idle();
	});

	test.serial(`${name}: a request that is created after the time limit of its refresh is destroyed`, async t => {
		const server = createServer(() => {}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		t.teardown(() => {
			server.close();
		});
		const late = Promise.withResolvers<ClientRequest>();
		const refreshing = refreshingClient(instance);
		let count = 0;
		const client = refreshing.client.extend({
			async request() {
				count++;
				return count === 1 ? cannedResponse({body: 'answer'}) : late.promise;
			},
		}) as Got;
		await client(url);
		refreshing.expire();
		await client(url);
		await settle();
		await passTime(60_000);
		await refreshing.idle();
		const request = sendRequest(server.address() as object);
		const closed = Promise.withResolvers<boolean>();
		request.once('close', () => {
			closed.resolve(true);
		});
		late.resolve(request);
		t.true(await closed.promise);
		t.true(request.destroyed);
		t.deepEqual(refreshing.errors.map(({code}) => code), ['ERR_REFRESH_TIMEOUT']);
	});

	test.serial(`${name}: a refresh fails if its request closes without an event`, async t => {
		const refreshing = refreshingClient(instance);
		let count = 0;
		const client = refreshing.client.extend({
			request() {
				count++;
				if (count === 1) {
					return cannedResponse({body: 'answer'});
				}

				// As those of HTTP/2 do.
				const request: Writable = new Writable({
					final(callback) {
						callback();
						request.destroy();
					},
				});
				return request as unknown as ClientRequest;
			},
		}) as Got;
		await client(url);
		refreshing.expire();
		await client(url);
		await settle();
		await passTime(1000);
		await refreshing.idle();
		t.deepEqual(refreshing.errors.map(({code}) => code), ['ECONNRESET']);
		t.is(count, 3);
	});

	for (const [title, given] of [['undefined', null], ['an object that is neither a request nor a response', {}], ['text', 'text']] as const) {
		test.serial(`${name}: a refresh fails if its \`request\` function returns ${title}`, async t => {
			const refreshing = refreshingClient(instance);
			let count = 0;
			const client = refreshing.client.extend({
				request() {
					count++;
					return count === 1 ? cannedResponse({body: 'answer'}) : given as never;
				},
			}) as Got;
			await client(url);
			refreshing.expire();
			t.is((await client(url)).body, 'answer');
			await settle();
			timers.tick(60_000);
			await refreshing.idle();
			t.is(refreshing.errors.length, 1);
		});
	}
}

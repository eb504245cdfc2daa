import test from 'ava';
import {byOrigin, dated} from '../helpers/dated.ts';
import {fresh} from '../helpers/modes.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const quick = {limit: 2, backoffLimit: 1};

for (const [name, instance] of majors) {
	test(`${name}: RFC 5861 §4, RFC 9111 §5.2.2.2 with staleIfErrorAfter 'retries' a 404, 401 or 429 reaches the caller, and gatewayTimeout 'respond' does not replace it by a 504`, async t => {
		for (const status of [400, 401, 404, 410, 429]) {
			for (const response of ['max-age=60', 'max-age=60, must-revalidate', 'max-age=60, stale-if-error=1000']) {
				const {client, clock} = createClient({
					...byOrigin, staleIfError: true, staleIfErrorAfter: 'retries', gatewayTimeout: 'respond',
				}, instance);
				await using origin = await Origin.start(dated(clock, (_request, count) => count === 1
					? {headers: {'cache-control': response, etag: '"1"'}}
					: {status, headers: {'cache-control': 'no-cache'}}));
				await client(origin.url);
				clock.advance(100);
				const error = await t.throwsAsync<Error & {response: {statusCode: number; isFromCache: boolean; body: unknown}}>(client(origin.url, {retry: quick}));
				t.is(error.response.statusCode, status);
				t.false(error.response.isFromCache);
				t.regex(String(error.response.body), /^answer \d$/v);
				t.is(origin.count, status === 429 ? 4 : 2, `${status} after ${response}`);
			}
		}
	});

	test(`${name}: RFC 5861 §4 with staleIfErrorAfter 'retries' a 404 to a retry after a 503 reaches the caller`, async t => {
		const {client, clock} = createClient({
			...byOrigin, staleIfError: true, staleIfErrorAfter: 'retries', gatewayTimeout: 'respond',
		}, instance);
		await using origin = await Origin.start(dated(clock, (_request, count) => count === 1 ? {headers: {...fresh, etag: '"1"'}} : {status: count === 2 ? 503 : 404}));
		await client(origin.url);
		clock.advance(100);
		const error = await t.throwsAsync<Error & {response: {statusCode: number}}>(client(origin.url, {retry: quick}));
		t.is(error.response.statusCode, 404);
		t.is(origin.count, 3);
	});
}

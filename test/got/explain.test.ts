import test from 'ava';
import got from 'got';
import {explain} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

test('explain returns the decision, its rule and every evaluated rule, and changes nothing', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {etag: '"1"'});
		response.end('answer');
	});
	const {client, clock} = createClient({expireAfter: 60});
	const url = `${origin.url}/a?page=2&token=secret`;
	const before = await explain(client, {url});
	t.like(before, {
		decision: 'send', reason: 'miss', section: 'RFC 9111 §4', stored: undefined,
	});
	t.regex(before.key!, /^got-cache:2:/v);
	t.is(origin.count, 0);

	await client(url);
	const after = await explain(client, {url});
	t.like(after, {decision: 'serve', reason: 'fresh', section: 'RFC 9111 §4.2'});
	t.deepEqual(after.stored, {statusCode: 200, createdAt: new Date(clock.now()), expires: new Date(clock.now() + 60_000)});
	t.is(after.key, before.key);
	t.deepEqual(after.rules.filter(({held}) => held).map(({reason}) => reason), ['lookup', 'fresh']);
	t.deepEqual(after.rules.slice(0, 2), [
		{reason: 'disabled', section: 'setting disabled', held: false},
		{reason: 'only-if-cached', section: 'RFC 9111 §5.2.1.7; setting onlyIfCached', held: false},
	]);
	t.regex(after.text, /^GET http:\/\/127\.0\.0\.1:\d+\/a\?page=2&token=REDACTED: serve, because of `fresh` \(RFC 9111 §4\.2\)\nstored: 200, received 2026-01-01T00:00:00\.000Z, fresh until 2026-01-01T00:01:00\.000Z\nno {2}disabled/v);
	t.false(after.text.includes('secret'));

	clock.advance(60);
	const stale = await explain(client, {url});
	t.like(stale, {decision: 'send', reason: 'stale'});
	t.deepEqual(stale.validators, {'if-none-match': '"1"'});
	t.is(origin.count, 1);
});

test('explain gives the reason why a request bypasses the cache', async t => {
	const {client} = createClient({keyFn: (request, createKey) => request.url.endsWith('/skip') ? undefined : createKey(request)});
	const url = 'https://example.com';
	t.like(await explain(client, {method: 'put', url}), {decision: 'pass', reason: 'method', key: undefined});
	t.like(await explain(client, {url, headers: {'Cache-Control': 'no-store'}}), {decision: 'pass', reason: 'request-no-store'});
	t.like(await explain(client, {url: `${url}/skip`}), {decision: 'pass', reason: 'key-refused', section: 'setting keyFn'});
	t.like(await explain(client, {url, headers: {'if-match': '"a"'}}), {decision: 'send', reason: 'precondition'});
	t.like(await explain(client, {url}, {onlyIfCached: true}), {decision: 'fail', reason: 'only-if-cached'});
	t.like(await explain(client, {url, headers: {'if-match': '"a"'}}, {onlyIfCached: true}), {decision: 'fail', reason: 'only-if-cached'});
	t.like(await explain(client.extend({context: {cache: {disabled: true}}}), {url}), {decision: 'pass', reason: 'disabled'});
});

test('explain throws a TypeError for an invalid request', async t => {
	const {client} = createClient();
	await t.throwsAsync(explain(got, {url: 'https://example.com'}), {instanceOf: TypeError, message: /cacheHooks/v});
	await t.throwsAsync(explain(client, {url: 'nowhere'}), {instanceOf: TypeError});
	await t.throwsAsync(explain(client, {url: 'https://example.com'}, {expireAfter: 'soon'}), {instanceOf: TypeError, message: /expireAfter/v});
});

import test from 'ava';
import {cacheInfo} from '../../source/index.ts';
import {byOrigin, dated, httpDate} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false};
const lastModified = 'Thu, 01 Jan 2015 00:00:00 GMT';
const before = 'Wed, 31 Dec 2014 00:00:00 GMT';
const after = 'Fri, 02 Jan 2015 00:00:00 GMT';
const tag = {'cache-control': 'max-age=60', etag: '"1"'};
const date = {'cache-control': 'max-age=60', 'last-modified': lastModified};
const both = {...tag, ...date};

type Headers = Readonly<Record<string, string>>;
type PreconditionRow = readonly [title: string, stored: Headers, request: Headers, statusCode: 200 | 304];

/** The status of a fresh stored response for a precondition of the caller. */
const preconditions: readonly PreconditionRow[] = [
	['§4.3.2 the stored tag', tag, {'if-none-match': '"1"'}, 304],
	['§4.3.2 another tag', tag, {'if-none-match': '"2"'}, 200],
	['§4.3.2 the stored tag among others', tag, {'if-none-match': '"0", "1" ,"2"'}, 304],
	['§4.3.2 others alone', tag, {'if-none-match': '"0", "11", "2"'}, 200],
	['§4.3.2 a tag with a comma in it', {...tag, etag: '"a,b"'}, {'if-none-match': '"x", "a,b"'}, 304],
	['§4.3.2 a part of a tag with a comma in it', {...tag, etag: '"b"'}, {'if-none-match': '"a,"b"'}, 200],
	['§4.3.2 the weak form of the stored tag', tag, {'if-none-match': 'W/"1"'}, 304],
	['§4.3.2 the strong form of a stored weak tag', {...tag, etag: 'W/"1"'}, {'if-none-match': '"1"'}, 304],
	['§4.3.2 a star', tag, {'if-none-match': '*'}, 304],
	['§4.3.2 a star where no tag is stored', date, {'if-none-match': '*'}, 304],
	['§4.3.2 a tag where none is stored', date, {'if-none-match': '"1"'}, 200],
	['§4.3.2 the stored date', date, {'if-modified-since': lastModified}, 304],
	['§4.3.2 a later date', date, {'if-modified-since': after}, 304],
	['§4.3.2 an earlier date', date, {'if-modified-since': before}, 200],
	['§4.3.2 the stored date as RFC 850 writes it', date, {'if-modified-since': 'Thursday, 01-Jan-15 00:00:00 GMT'}, 304],
	['§4.3.2 an invalid date', date, {'if-modified-since': 'yesterday'}, 200],
	['§4.3.2 a date where none is stored counts against Date', tag, {'if-modified-since': 'Wed, 01 Jan 2025 00:00:00 GMT'}, 200],
	['§4.3.2 a later date where none is stored', tag, {'if-modified-since': 'Fri, 02 Jan 2026 00:00:00 GMT'}, 304],
	['RFC 9110 §13.2.2 another tag beats the stored date', both, {'if-none-match': '"2"', 'if-modified-since': lastModified}, 200],
	['RFC 9110 §13.2.2 the stored tag beats an earlier date', both, {'if-none-match': '"1"', 'if-modified-since': before}, 304],
	['RFC 9110 §13.2.2 the stored tag comes before a range', tag, {'if-none-match': '"1"', range: 'bytes=0-1'}, 304],
];

for (const [title, stored, request, statusCode] of preconditions) {
	test(`RFC 9111 ${title}: a fresh stored response answers ${statusCode}, to GET and HEAD, in both modes`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, () => ({headers: stored})));
			await client(origin.url);
			clock.advance(10);
			const response = await client(origin.url, {headers: request});
			t.is(response.statusCode, statusCode);
			t.is(response.body, statusCode === 200 ? 'answer 1' : '');
			t.true(response.isFromCache);
			t.is(response.headers.etag, stored.etag);
			t.is((await client.head(origin.url, {headers: request})).statusCode, statusCode);
			const stream = client.stream(origin.url, {headers: request});
			t.is(await readStream(stream), response.body);
			t.is(stream.response!.statusCode, statusCode);
			t.is(origin.count, 1);
		}
	});
}

test('RFC 9110 §15.4.5 a 304 of the cache has exactly the header fields that a 304 must have', async t => {
	const {client, clock} = createClient(byOrigin);
	const required = {
		...both, expires: httpDate(clock, 60), 'content-location': '/here', vary: 'accept-language', date: httpDate(clock),
	};
	await using origin = await Origin.start(dated(clock, () => ({
		headers: {
			...required, 'content-type': 'text/plain', 'content-length': '8', 'content-language': 'de', 'x-one': '1',
		},
	})));
	await client(origin.url);
	clock.advance(10);
	const {headers} = await client(origin.url, {headers: {'if-none-match': '"1"'}});
	t.like(headers, {
		...required, age: '10', 'content-type': undefined, 'content-length': undefined, 'content-language': undefined, 'x-one': undefined,
	});
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.3.2 the origin evaluates the precondition of the caller if the stored response is stale`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, request => {
			const own = request.headers['if-none-match'];
			return own === '"1"' || own === '"0"' ? {status: 304, headers: {...tag, etag: own}} : {headers: both};
		}));
		await client(origin.url);
		clock.advance(60);
		const unknown = await client(origin.url, {headers: {'if-none-match': '"0"'}});
		t.is(unknown.statusCode, 304);
		t.false(unknown.isFromCache);
		t.is(origin.requests[1]!.headers['if-none-match'], '"0"');
		t.is(origin.requests[1]!.headers['if-modified-since'], undefined);

		// That 304 was about the caller's copy: what is stored is as stale as before.
		const known = await client(origin.url, {headers: {'if-none-match': '"1"'}});
		t.is(known.statusCode, 304);
		t.is(origin.count, 3);

		// This one was about what is stored, too (§4.3.4).
		const fresh = await client(origin.url);
		t.is(fresh.statusCode, 200);
		t.is(fresh.body, 'answer 1');
		t.is(origin.count, 3);
	});
}

test('RFC 9111 §4.3.2 a full response to the precondition of the caller is stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: tag})));
	t.is((await client(origin.url, {headers: {'if-none-match': '"0"'}})).statusCode, 200);
	t.true((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4.3.2 a 304 to the precondition of the caller with nothing stored reaches the caller and is not stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined ? {headers: tag} : {status: 304, headers: tag}));
	t.is((await client(origin.url, {headers: {'if-none-match': '"1"'}})).statusCode, 304);
	const second = await client(origin.url);
	t.is(second.statusCode, 200);
	t.is(second.body, 'answer 2');
});

test('RFC 9111 §4.3.2 only the origin evaluates If-Match and If-Unmodified-Since', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({status: request.headers['if-match'] === '"0"' ? 412 : 200, headers: both})));
		await client(origin.url);
		t.is((await client(origin.url, {...plain, headers: {'if-match': '"0"'}})).statusCode, 412);
		t.is((await client(origin.url, {headers: {'if-unmodified-since': lastModified}})).body, 'answer 3');
		t.is(origin.requests[1]!.headers['if-match'], '"0"');
		t.is(origin.count, 3);
	}
});

test('RFC 9110 §13.2.1 a precondition is ignored for a stored response without a success status', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({status: 404, headers: both})));
	await client(origin.url, plain);
	const second = await client(origin.url, {...plain, headers: {'if-none-match': '"1"'}});
	t.is(second.statusCode, 404);
	t.true(second.isFromCache);
});

const content = '0123456789';
const ranged = {...both, 'content-type': 'text/plain', 'content-length': '10'};

type RangeRow = readonly [title: string, range: string, statusCode: 200 | 206 | 416, body: string, contentRange?: string];

/** The status and the body of a fresh complete response. */
const ranges: readonly RangeRow[] = [
	['§14.1.2 a range', 'bytes=2-4', 206, '234', 'bytes 2-4/10'],
	['§14.1.2 one byte', 'bytes=0-0', 206, '0', 'bytes 0-0/10'],
	['§14.1.2 all', 'bytes=0-9', 206, content, 'bytes 0-9/10'],
	['§14.1.2 an open end', 'bytes=7-', 206, '789', 'bytes 7-9/10'],
	['§14.1.2 an end beyond the end', 'bytes=7-99', 206, '789', 'bytes 7-9/10'],
	['§14.1.2 a suffix', 'bytes=-3', 206, '789', 'bytes 7-9/10'],
	['§14.1.2 a suffix longer than all', 'bytes=-99', 206, content, 'bytes 0-9/10'],
	['§14.1 the unit in upper case', 'Bytes=2-4', 206, '234', 'bytes 2-4/10'],
	['§15.5.17 a start beyond the end', 'bytes=10-', 416, '', 'bytes */10'],
	['§15.5.17 a range beyond the end', 'bytes=99-100', 416, '', 'bytes */10'],
	['§15.5.17 an empty suffix', 'bytes=-0', 416, '', 'bytes */10'],
	['§14.2 an unknown unit', 'lines=1-2', 200, content],
	['§14.1.1 an end before the start', 'bytes=4-2', 200, content],
	['§14.1.1 no range at all', 'bytes=', 200, content],
	['§14.1.1 an invalid range', 'bytes=a-b', 200, content],
	['§14.1.1 an invalid range after a valid one', 'bytes=0-1,x', 200, content],
];

for (const [title, range, statusCode, body, contentRange] of ranges) {
	test(`RFC 9110 ${title} (${range}) of a complete stored response is ${statusCode}, in both modes and through both APIs`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, () => ({headers: ranged, body: content})));
			await client(origin.url);
			const response = await client(origin.url, {...plain, headers: {range}});
			t.is(response.statusCode, statusCode);
			t.is(response.body, body);
			t.is(response.headers['content-range'], contentRange);
			t.is(response.headers['content-length'], String(body.length));
			t.is(response.headers.etag, '"1"');
			t.true(response.isFromCache);
			const stream = client.stream(origin.url, {...plain, headers: {range}});
			t.is(await readStream(stream), body);
			t.is(stream.response!.statusCode, statusCode);
			t.is(origin.count, 1);
			t.is((await client(origin.url)).body, content);
		}
	});
}

test('RFC 9110 §14.2 Range is ignored for a HEAD', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: ranged, body: content})));
	await client(origin.url);
	const head = await client.head(origin.url, {headers: {range: 'bytes=0-1'}});
	t.is(head.statusCode, 200);
	t.is(head.headers['content-length'], '10');
	t.is(head.headers['content-range'], undefined);
});

const conditions: ReadonlyArray<readonly [title: string, condition: string, statusCode: 200 | 206]> = [
	['the stored tag', '"1"', 206],
	['another tag', '"2"', 200],
	['the weak form of the stored tag', 'W/"1"', 200],
	['the stored date', lastModified, 206],
	['another date', after, 200],
	['an earlier date', before, 200],
];

for (const [title, condition, statusCode] of conditions) {
	test(`RFC 9110 §13.1.5 If-Range with ${title} is ${statusCode}`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, () => ({headers: ranged, body: content})));
			await client(origin.url);
			const response = await client(origin.url, {headers: {range: 'bytes=2-4', 'if-range': condition}});
			t.is(response.statusCode, statusCode);
			t.is(response.body, statusCode === 206 ? '234' : content);
			t.is(origin.count, 1);
		}
	});
}

test('RFC 9110 §13.1.5 If-Range with a tag that is stored as weak gives the complete response', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {...ranged, etag: 'W/"1"'}, body: content})));
	await client(origin.url);
	const response = await client(origin.url, {headers: {range: 'bytes=2-4', 'if-range': 'W/"1"'}});
	t.is(response.statusCode, 200);
	t.is(response.body, content);
});

test('RFC 9110 §13.1.5 If-Range without Range is ignored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: ranged, body: content})));
	await client(origin.url);
	const response = await client(origin.url, {headers: {'if-range': '"2"'}});
	t.is(response.statusCode, 200);
	t.true(response.isFromCache);
});

test('RFC 9110 §14.2 the origin answers requests for several ranges, and for ranges of a stored encoded response', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => request.headers.range === undefined
			? {headers: {...ranged, ...(request.url === '/coded' && {'content-encoding': 'x-own'})}, body: content}
			: {status: 206, headers: {...both, 'content-range': 'bytes 0-1/10'}, body: '01'}));
		for (const [path, range] of [['/several', 'bytes=0-1,4-5'], ['/coded', 'bytes=0-1']] as const) {
			await client(origin.url + path, {responseType: 'buffer'});
			const response = await client(origin.url + path, {headers: {range}});
			t.is(response.statusCode, 206);
			t.false(response.isFromCache);
			t.true((await client(origin.url + path)).isFromCache);
		}

		t.is(origin.count, 4);
	}
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §3.3 a partial response is used neither as the complete response nor as another part`, async t => {
		for (const settings of [byOrigin, {}, {allowableCodes: [200, 206]}]) {
			const {client, clock} = createClient(settings, instance);
			await using origin = await Origin.start(dated(clock, request => {
				const {start, end} = /^bytes=(?<start>\d+)-(?<end>\d+)$/v.exec(request.headers.range ?? '')?.groups ?? {};
				return start === undefined
					? {headers: ranged, body: content}
					: {status: 206, headers: {...both, 'content-range': `bytes ${start}-${end}/10`}, body: content.slice(Number(start), Number(end) + 1)};
			}));
			t.is((await client(origin.url, {headers: {range: 'bytes=2-4'}})).body, '234');
			t.is(await readStream(client.stream(origin.url, {headers: {range: 'bytes=5-6'}})), '56');
			t.is((await client(origin.url, {headers: {range: 'bytes=2-4'}})).statusCode, 206);
			const whole = await client(origin.url);
			t.is(whole.statusCode, 200);
			t.is(whole.body, content);
			const again = await client(origin.url, {headers: {range: 'bytes=2-4'}});
			t.true(again.isFromCache);
			t.is(again.body, '234');
		}
	});
}

test('RFC 9111 §3.3 a partial response with the complete length, and one without Content-Range, are not stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers.range === undefined
		? {headers: ranged, body: content}
		: {status: 206, headers: {...both, ...(request.url === '/with' && {'content-range': 'bytes 0-9/10'})}, body: content}));
	for (const path of ['/with', '/without']) {
		await client(origin.url + path, {headers: {range: 'bytes=0-9'}});
		t.is((await client(origin.url + path)).statusCode, 200);
	}
});

test('RFC 9110 §14.2 an origin that ignores Range sends the complete response, which is stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: ranged, body: content})));
	t.is((await client(origin.url, {headers: {range: 'bytes=0-1'}})).statusCode, 200);
	const second = await client(origin.url);
	t.true(second.isFromCache);
	t.is(second.body, content);
});

test('RFC 9111 §4.2.4 a range of a stale response is requested from the origin without validators', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers.range === undefined
		? {headers: ranged, body: content}
		: {status: 206, headers: {...both, etag: '"2"', 'content-range': 'bytes 0-1/10'}, body: 'ab'}));
	await client(origin.url);
	clock.advance(60);
	const part = await client(origin.url, {headers: {range: 'bytes=0-1'}});
	t.is(part.statusCode, 206);
	t.is(part.body, 'ab');
	t.is(origin.requests[1]!.headers['if-none-match'], undefined);
	t.is(origin.requests[1]!.headers['if-modified-since'], undefined);
	await client(origin.url);
	t.is(origin.requests[2]!.headers['if-none-match'], '"1"');
});

test('RFC 9110 §15.5.17 a 416 is not stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers.range === undefined
		? {headers: ranged, body: content}
		: {status: 416, headers: {'cache-control': 'max-age=60', 'content-range': 'bytes */10'}, body: ''}));
	t.is((await client(origin.url, {...plain, headers: {range: 'bytes=99-'}})).statusCode, 416);
	t.is((await client(origin.url)).body, content);
});

test('RFC 9110 §14 a stale response instead of an error has the requested range', async t => {
	const {client, clock} = createClient({...byOrigin, staleIfError: true});
	await using origin = await Origin.start(dated(clock, (_request, count) => count === 1 ? {headers: ranged, body: content} : {status: 503}));
	await client(origin.url);
	clock.advance(100);
	const part = await client(origin.url, {headers: {range: 'bytes=2-4'}});
	t.is(part.statusCode, 206);
	t.is(part.body, '234');
	t.is(cacheInfo(part).reason, 'stale-if-error');
	t.is((await client(origin.url, {headers: {'if-none-match': '"1"'}})).statusCode, 304);
});

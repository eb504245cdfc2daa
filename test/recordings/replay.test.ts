import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';
import {SettingError, type CacheSettings} from '../../source/index.ts';
import {record, textOf} from './helpers.ts';

const stores: ReadonlyArray<readonly [name: string, settings: () => CacheSettings]> = [
	['filesystem', () => ({})],
	['a Map', () => ({store: new Map()})],
];

for (const [name, settingsOf] of stores) {
	test(`${name}: an error names the nearest recording and what differs, and shows no credential`, async t => {
		const {origin, client} = await record(t);
		const settings = {matchHeaders: ['accept'], ...settingsOf()};
		const {client: player} = client('replay', settings);
		const messageOf = async (run: Promise<unknown>): Promise<string> => {
			const {message} = (await t.throwsAsync(run, {code: 'ERR_NOT_RECORDED'}));
			t.notRegex(message, /SECRET|SESAME/v);
			return message.split(origin.url).join('https://origin');
		};

		const first = await messageOf(player(`${origin.url}/a`));
		t.regex(first, name === 'filesystem' ? /There is no folder `/v : /^No response is recorded for `GET https:\/\/origin\/a`\. Nothing is recorded yet\. Record it with `mode: 'record-missing'`\.$/v);

		const {client: recorder, cache} = client('record', settings);
		await recorder(`${origin.url}/users/1?page=1&sort=name`, {headers: {accept: 'text/html'}});
		await recorder(`${origin.url}/private?access_token=SECRET`, {headers: {authorization: 'Bearer SECRET'}});
		await recorder.post(`${origin.url}/users`, {json: {name: 'Ada', password: 'SECRET', address: {city: 'London', tags: [1, 2]}}});
		await recorder.post(`${origin.url}/upload`, {body: Buffer.from('bytes')});
		await recorder.post(`${origin.url}/form`, {form: {one: '1', token: 'SECRET'}});
		await cache.idle();

		t.regex(await messageOf(player(`${origin.url}/users/1?page=2&sort=name`, {headers: {accept: 'text/html'}})), /The nearest recording is that of `GET https:\/\/origin\/users\/1\?page=1&sort=name`, which differs in the query parameter `page`\./v);
		t.regex(await messageOf(player(`${origin.url}/users/1?sort=name&limit=5`, {headers: {accept: 'text/html'}})), /the query parameter `limit` \(not recorded\) and the query parameter `page` \(recorded only\)/v);
		t.regex(await messageOf(player(`${origin.url}/users/2?page=1&sort=name`, {headers: {accept: 'text/html'}})), /users\/1\?page=1&sort=name`, which differs in the path\./v);
		t.regex(await messageOf(player.put(`${origin.url}/users/1?page=1&sort=name`, {headers: {accept: 'text/html'}})), /differs in the method\./v);
		t.regex(await messageOf(player(`${origin.url}/users/1?page=1&sort=name`, {headers: {accept: 'text/plain'}})), /differs in the header `accept`\./v);
		t.regex(await messageOf(player(`${origin.url.replace('127.0.0.1', 'localhost')}/users/1?page=1&sort=name`, {headers: {accept: 'text/html'}})), /differs in the host\./v);
		t.regex(await messageOf(player.post(`${origin.url}/users`, {json: {name: 'Bob', password: 'SECRET', address: {city: 'Paris', tags: [1, 2, 3]}}})), /differs in the member `\$\.name` of the body, the member `\$\.address\.city` of the body and the member `\$\.address\.tags\.2` of the body\./v);
		t.regex(await messageOf(player.post(`${origin.url}/users`, {json: {name: 'Ada', password: 'SESAME', address: {city: 'London', tags: [1, 2]}}})), /differs in the credential `password` of the body\. .*`partitionBy: false`/v);
		t.regex(await messageOf(player.post(`${origin.url}/upload`, {body: Buffer.from('other')})), /differs in the body\./v);
		t.regex(await messageOf(player.post(`${origin.url}/form`, {form: {one: '2', token: 'SECRET'}})), /differs in the body\./v);
		t.regex(await messageOf(player(`${origin.url}/private?access_token=SESAME`, {headers: {authorization: 'Bearer SESAME'}})), /private\?access_token=REDACTED`, which differs in the credential in the header `authorization` and the credential `access_token` of the query\. .*`partitionBy: false`/v);
		t.regex(await messageOf(player(`${origin.url}/private?access_token=SECRET`)), /the credential in the header `authorization` \(recorded only\)/v);
		t.regex(await messageOf(player.stream(`${origin.url.replace('//', '//user:SECRET@')}/users/1?page=1&sort=name`, {headers: {accept: 'text/html'}}).toArray()), /differs in .*(?:the user info of the URL|authorization).* \(not recorded\)/v);
		t.regex(await messageOf(player.post(`${origin.url}/users`, {
			body: (async function * () {
				yield 'x';
			})(),
		})), /Its body is a stream, so that it cannot be recorded\./v);
	});

	test(`${name}: each of several equal requests is recorded and replayed in order, if that is asked for`, async t => {
		let count = 0;
		const {origin, client} = await record(t, (request, response) => {
			count++;
			response.statusCode = count === 1 && request.url === '/flaky' ? 503 : 200;
			response.end(request.method === 'HEAD' ? undefined : `${request.url!} ${count}`);
		});
		const settings = settingsOf();
		const once = (mode: 'record' | 'record-missing' | 'replay') => client({name: mode, allowPlaybackRepeats: false}, settings);
		const ask = async ({client: asking}: ReturnType<typeof once>): Promise<unknown[]> => [
			(await asking(`${origin.url}/flaky`, {retry: {limit: 1, backoffLimit: 1}})).body,
			...await Array.fromAsync([1, 2, 3], async () => (await asking(`${origin.url}/jobs/1`)).body),
			(await asking(`${origin.url}/jobs/2`)).body,
			textOf(await asking.stream(`${origin.url}/jobs/1`).toArray()),
			(await asking.post(`${origin.url}/jobs`, {json: {a: 1}})).body,
			(await asking.post(`${origin.url}/jobs`, {json: {a: 1}})).body,
			(await asking.head(`${origin.url}/jobs/1`)).statusCode,
		];

		const recorder = once('record');
		const recorded = await ask(recorder);
		await recorder.cache.idle();
		t.deepEqual(recorded.slice(0, 5), ['/flaky 2', '/jobs/1 3', '/jobs/1 4', '/jobs/1 5', '/jobs/2 6']);
		const sent = origin.count;
		const player = once('replay');
		t.deepEqual(await ask(player), recorded);
		await t.throwsAsync(player.client(`${origin.url}/jobs/1`), {code: 'ERR_NOT_RECORDED', message: /All recordings of the request have been replayed: this is request 5 of its kind/v});
		await t.throwsAsync(player.client.head(`${origin.url}/jobs/1`), {code: 'ERR_NOT_RECORDED'});

		// Another client begins anew, and one that allows repeats has the first.
		t.is((await once('replay').client(`${origin.url}/jobs/1`)).body, '/jobs/1 3');
		const {client: repeating} = client('replay', settings);
		t.deepEqual([(await repeating(`${origin.url}/jobs/1`)).body, (await repeating(`${origin.url}/jobs/1`)).body], ['/jobs/1 3', '/jobs/1 3']);
		t.is(origin.count, sent);

		const missing = once('record-missing');
		t.deepEqual(await ask(missing), recorded);
		t.is(origin.count, sent);
		t.regex((await missing.client(`${origin.url}/jobs/1`)).body, /\/jobs\/1 \d+/v);
		t.is(origin.count, sent + 1);
		await missing.cache.idle();
	});

	test(`${name}: concurrent equal requests each have a recording, if each is to be replayed once`, async t => {
		let count = 0;
		const {origin, client} = await record(t, (_request, response) => {
			count++;
			response.end(String(count));
		});
		const settings = settingsOf();
		const {client: recorder, cache} = client({name: 'record', allowPlaybackRepeats: false}, settings);
		const recorded = await Promise.all([1, 2, 3].map(async () => recorder(`${origin.url}/a`).text()));
		await cache.idle();
		t.is(new Set(recorded).size, 3);
		const {client: player} = client({name: 'replay', allowPlaybackRepeats: false}, settings);
		t.deepEqual((await Promise.all([1, 2, 3].map(async () => player(`${origin.url}/a`).text()))).toSorted(), recorded.toSorted());
	});

	test(`${name}: a retry belongs to its request, also if an equal one was sent meanwhile`, async t => {
		const failed = Promise.withResolvers<void>();
		const {origin, client} = await record(t, (_request, response) => {
			response.statusCode = origin.count === 1 ? 503 : 200;
			response.end(String(origin.count));
			if (origin.count === 1) {
				failed.resolve();
			}
		});
		const settings = settingsOf();
		const {client: recorder, cache} = client({name: 'record', allowPlaybackRepeats: false}, settings);
		const other = Promise.withResolvers<void>();
		const first = recorder(`${origin.url}/a`, {
			retry: {limit: 1, backoffLimit: 1},
			hooks: {beforeRetry: [async () => other.promise]},
		}).text();
		await failed.promise;
		t.is(await recorder(`${origin.url}/a`).text(), '2');
		other.resolve();
		t.is(await first, '3');
		await cache.idle();

		const {client: player} = client({name: 'replay', allowPlaybackRepeats: false}, settings);
		t.deepEqual([await player(`${origin.url}/a`).text(), await player(`${origin.url}/a`).text()], ['3', '2']);
	});

	test(`${name}: form data is recorded and replayed, whatever its boundary`, async t => {
		const {origin, client} = await record(t);
		const settings = settingsOf();
		const form = (content: string, fileName = 'name.bin'): FormData => {
			const data = new FormData();
			data.append('text', 'with "quotes"\r\nand lines');
			data.append('text', 'twice');
			data.append('blob', new Blob([new Uint8Array([0, 255, 13, 10])], {type: 'application/octet-stream'}));
			data.append('file', new File([content], fileName, {type: 'text/plain'}));
			return data;
		};

		const {client: recorder, cache} = client('record', settings);
		const recorded = await recorder.post(`${origin.url}/upload`, {body: form('one')}).text();
		await recorder.put(`${origin.url}/upload`, {body: form('one')});
		await recorder.post(`${origin.url}/large`, {body: form('x'.repeat(3_000_000))});
		await recorder.post(`${origin.url}/secret`, {
			body: (() => {
				const data = form('one');
				data.append('password', 'SECRET');
				return data;
			})(),
		});
		await cache.idle();
		const sent = origin.count;
		const {client: player} = client('replay', settings);
		t.is(await player.post(`${origin.url}/upload`, {body: form('one')}).text(), recorded);
		t.is(textOf(await player.stream.post(`${origin.url}/upload`, {body: form('one')}).toArray()), recorded);
		await player.put(`${origin.url}/upload`, {body: form('one')});
		await player.post(`${origin.url}/large`, {body: form('x'.repeat(3_000_000))});
		for (const [content, fileName] of [['two', 'name.bin'], ['one', 'other.bin']] as const) {
			await t.throwsAsync(player.post(`${origin.url}/upload`, {body: form(content, fileName)}), {code: 'ERR_NOT_RECORDED', message: /differs in the body/v});
		}

		await t.throwsAsync(player.post(`${origin.url}/secret`, {
			body: (() => {
				const data = form('one');
				data.append('password', 'OTHER');
				return data;
			})(),
		}), {code: 'ERR_NOT_RECORDED', message: /the credential `password` of the form/v});
		t.is(origin.count, sent);
	});

	test(`${name}: with partitionBy: false, a recording with a real credential is replayed with a dummy or none`, async t => {
		const {origin, client} = await record(t, (request, response) => {
			response.setHeader('Vary', 'Authorization, Cookie, X-Api-Key, Accept-Encoding, User-Agent');
			response.end(request.url);
		});
		const settings = {partitionBy: false, ...settingsOf()} as const;
		const ask = async (asking: ReturnType<typeof client>['client'], credential: string | undefined): Promise<string[]> => Array.fromAsync([
			asking(`${origin.url}/header`, {headers: credential === undefined ? {} : {authorization: `Bearer ${credential}`}}),
			asking(`${origin.url}/key`, {headers: {'x-api-key': credential}}),
			asking(`${origin.url}/cookie`, {headers: credential === undefined ? {} : {cookie: `session=${credential}`}}),
			asking(`${origin.url}/query${credential === undefined ? '' : `?access_token=${credential}`}`),
			asking(`${origin.url}/user`, credential === undefined ? {} : {username: 'user', password: credential}),
		], ({body}) => body.replace(/\?.*/v, ''));
		const {client: recorder, cache} = client('record', settings);
		const recorded = await ask(recorder, 'REAL');
		await cache.idle();
		for (const credential of ['dummy', undefined]) {
			const {client: player} = client('replay', settings);
			t.deepEqual(await ask(player, credential), recorded);
		}

		t.is(origin.count, 5);
	});

	test(`${name}: with partitionBy: false, two credentials that share a recording are reported once`, async t => {
		const {origin, client} = await record(t);
		for (const mode of ['record', 'record-missing'] as const) {
			const {client: recorder, cache} = client(mode, {partitionBy: false, ...settingsOf()});
			const errors: Array<Error & {code?: string}> = [];
			cache.on('settingError', ({setting, error}) => {
				t.is(setting, 'partitionBy');
				errors.push(error as Error);
			});
			await recorder(`${origin.url}/me`, {headers: {authorization: 'Bearer ADA-SECRET'}});
			await recorder(`${origin.url}/me`, {headers: {authorization: 'Bearer ADA-SECRET'}});
			await recorder(`${origin.url}/other`, {headers: {authorization: 'Bearer BOB-SECRET'}});
			t.deepEqual(errors, []);
			for (const user of ['BOB', 'CAROL', 'ADA']) {
				await recorder(`${origin.url}/me`, {headers: {authorization: `Bearer ${user}-SECRET`}});
			}

			await cache.idle();
			t.deepEqual(errors.map(({code}) => code), ['ERR_SHARED_RECORDING']);
			t.regex(errors[0]!.message, /^`GET http:.*\/me` was requested with two credentials/v);
			t.notRegex(errors[0]!.message, /SECRET/v);
		}
	});

	test(`${name}: two users are recorded separately, by their credentials or by the name that partitionBy returns`, async t => {
		const {origin, client} = await record(t, (request, response) => {
			response.setHeader('Vary', 'Authorization');
			response.end(request.headers.authorization);
		});
		const byName = ({headers}: {readonly headers: Readonly<Record<string, unknown>>}): string => String(headers['x-test-user']);
		for (const partitionBy of ['credentials', byName] as const) {
			const settings = {partitionBy, ...settingsOf()};
			const {client: recorder, cache} = client('record', settings);
			for (const user of ['ada', 'bob']) {
				await recorder(`${origin.url}/me`, {headers: {authorization: `Bearer ${user}`, 'x-test-user': user}});
			}

			await cache.idle();
			const {client: player} = client('replay', settings);
			for (const user of ['ada', 'bob']) {
				const authorization = partitionBy === 'credentials' ? `Bearer ${user}` : 'dummy';
				t.is(await player(`${origin.url}/me`, {headers: {authorization, 'x-test-user': user}}).text(), `Bearer ${user}`);
			}

			await t.throwsAsync(player(`${origin.url}/me`, {headers: {authorization: 'Bearer carol', 'x-test-user': 'carol'}}), {code: 'ERR_NOT_RECORDED', message: partitionBy === 'credentials' ? /the credential in the header `authorization`/v : /what `partitionBy` returns/v});
		}
	});

	test(`${name}: variants, redirects, errors and HEAD are replayed as recorded`, async t => {
		const {origin, client} = await record(t, (request, response) => {
			response.setHeader('Vary', request.url === '/star' ? '*' : 'Accept-Language');
			response.setHeader('X-Method', request.method!);
			response.statusCode = request.url === '/from' ? 307 : (request.url === '/missing' ? 404 : 200);
			response.setHeader('Location', '/to');
			response.end(`${request.url!} ${request.headers['accept-language'] ?? ''}`);
		});
		const settings = settingsOf();
		const ask = async (asking: ReturnType<typeof client>['client']): Promise<unknown[]> => Array.fromAsync([
			asking(`${origin.url}/a`, {headers: {'accept-language': 'de'}}),
			asking(`${origin.url}/a`, {headers: {'accept-language': 'en'}}),
			asking(`${origin.url}/a`),
			asking(`${origin.url}/star`),
			asking.post(`${origin.url}/from`, {json: {a: 1}}),
			asking(`${origin.url}/missing`, {throwHttpErrors: false}),
			asking.head(`${origin.url}/a`),
			asking.head(`${origin.url}/alone`),
		], ({statusCode, body, url, headers, redirectUrls}) => [statusCode, body, url, headers['x-method'], redirectUrls.map(String)]);
		const {client: recorder, cache} = client('record', settings);
		const recorded = await ask(recorder);
		await cache.idle();
		const sent = origin.count;
		const {client: player} = client('replay', settings);
		t.deepEqual(await ask(player), recorded);
		await t.throwsAsync(player(`${origin.url}/missing`), {code: 'ERR_NON_2XX_3XX_RESPONSE'});
		await t.throwsAsync(player(`${origin.url}/a`, {headers: {'accept-language': 'fr'}}), {code: 'ERR_NOT_RECORDED', message: /differs in the header `accept-language`/v});
		t.is(origin.count, sent);
	});
}

test('processes that record into one folder at the same time neither lose nor mix recordings', async t => {
	const {origin, client, files, folder} = await record(t, (request, response) => {
		response.setHeader('Vary', 'Accept-Language');
		response.end(`${request.url!} ${request.headers['accept-language']!}`);
	});
	const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return
	const main = path.join(import.meta.dirname, 'recorder-main.ts');
	const languages = ['de', 'en', 'fr', 'it'];
	const runs = await Promise.all(languages.map(async language => run(process.execPath, [main, folder, origin.url, language])));
	t.deepEqual(runs.map(({stderr}) => stderr), ['', '', '', '']);
	t.is(Object.keys(files()).length, 80);
	t.deepEqual(fs.readdirSync(folder).filter(name => !name.endsWith('.json')), []);
	const sent = origin.count;
	const {client: player, cache} = client('replay');
	for (const language of languages) {
		for (let index = 0; index < 20; index++) {
			t.is(await player(`${origin.url}/${index}`, {headers: {'accept-language': language}}).text(), `/${index} ${language}`);
		}
	}

	t.is(await cache.count(), 80);
	t.is(origin.count, sent);
	const before = files();
	await Promise.all(languages.map(async language => run(process.execPath, [main, folder, origin.url, language])));
	t.deepEqual(files(), before);
});

test('a keyFn that leaves out the port replays recordings of another port, and keeps their files', async t => {
	const first = await record(t);
	const second = await record(t);
	const settings: CacheSettings = {
		cacheName: first.folder,
		keyFn: (request, createKey) => createKey({...request, url: request.url.replace(/:\d+(?=\/)/v, '')}),
	};
	for (const {origin, client} of [first, second]) {
		const {client: recorder, cache} = client('record', settings);
		await recorder(`${origin.url}/users/1`);
		await cache.idle();
	}

	const before = first.files();
	t.is(Object.keys(before).length, 1);
	t.true(Object.values(before)[0]!.includes(first.origin.url));
	const {client: player} = second.client('replay', settings);
	t.like(await player(`${second.origin.url}/users/1`).json(), {path: '/users/1'});
	t.is(second.origin.count, 1);
});

test('a mode with a wrong name or option is refused', async t => {
	const {client} = await record(t);
	for (const mode of [{}, {name: 'play'}, {name: 'replay', repeats: true}, {name: 'replay', allowPlaybackRepeats: 1}, 'play', true]) {
		t.throws(() => client(mode as never), {instanceOf: SettingError, message: /`cache\.mode/v}, JSON.stringify(mode));
	}
});

import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import axios from 'axios';
import {setupCache} from 'axios-cache-interceptor';
import got from 'got';
import {Agent, interceptors, request} from 'undici';
import {cacheHooks} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import {readPage, tableRows} from './pages.ts';

/** Sends a request with these headers, and returns the body. */
type Get = (url: string, authorization?: string) => Promise<string>;

const headersWith = (authorization: string | undefined): Record<string, string> => authorization === undefined ? {} : {authorization};

const clients: Readonly<Record<string, () => Get>> = {
	'got-cache-hooks'() {
		const client = got.extend(cacheHooks({store: 'memory', cacheControl: true}));
		return async (url, authorization) => client(url, {headers: headersWith(authorization)}).text();
	},
	'got'() {
		const client = got.extend({cache: new Map()});
		return async (url, authorization) => client(url, {headers: headersWith(authorization)}).text();
	},
	'got, private'() {
		const client = got.extend({cache: new Map(), cacheOptions: {shared: false}});
		return async (url, authorization) => client(url, {headers: headersWith(authorization)}).text();
	},
	'axios'() {
		const client = setupCache(axios.create());
		return async (url, authorization) => {
			const {data} = await client.get<string>(url, {headers: headersWith(authorization)});
			return data;
		};
	},
	'undici'() {
		const dispatcher = new Agent().compose(interceptors.cache());
		return async (url, authorization) => {
			const {body} = await request(url, {dispatcher, headers: headersWith(authorization)});
			return body.text();
		};
	},
	'undici, private'() {
		const dispatcher = new Agent().compose(interceptors.cache({type: 'private'}));
		return async (url, authorization) => {
			const {body} = await request(url, {dispatcher, headers: headersWith(authorization)});
			return body.text();
		};
	},
};

async function startOrigin(): Promise<Origin> {
	return Origin.start((asked, response) => {
		response.setHeader('cache-control', 'max-age=600');
		response.setHeader('content-type', 'text/plain');
		response.end(`for ${asked.headers.authorization ?? 'all'}`);
	});
}

/** Some of them store after their caller has the response: asks until nothing is sent for it any more, or long enough. */
async function askUntilStored(origin: Origin, get: Get, url: string): Promise<void> {
	for (let attempt = 0; attempt < 20; attempt++) {
		const {count} = origin;
		await get(url, 'Bearer ada');
		if (attempt > 0 && origin.count === count) {
			return;
		}

		await setTimeout(5);
	}
}

async function answerForGrace(name: string): Promise<{readonly answer: string; readonly isStored: boolean}> {
	await using origin = await startOrigin();
	const get = clients[name]!();
	await askUntilStored(origin, get, origin.url);
	const {count} = origin;
	await get(origin.url, 'Bearer ada');
	const isStored = origin.count === count;
	return {answer: await get(origin.url, 'Bearer grace'), isStored};
}

/** What the readme says of a row, by the names of the columns. */
function cell(t: ExecutionContext, row: string, column: number): string {
	const found = tableRows(readPage('readme.md'), '| | got-cache-hooks | Got\'s `cache` option | [axios-cache-interceptor](https://axios-cache-interceptor.js.org) 1.12 | [undici](https://undici.nodejs.org) 8 `interceptors.cache` | [requests-cache](https://requests-cache.readthedocs.io) 1.3 |').find(([name]) => name === row);
	t.not(found, undefined, row);
	return found![column]!;
}

const authorizations: ReadonlyArray<readonly [name: string, column: number, statement: RegExp, isStored: boolean, answer: string]> = [
	['got-cache-hooks', 1, /^stored, each user apart$/v, true, 'for Bearer grace'],
	['got', 2, /^only if marked as shareable/v, false, 'for Bearer grace'],
	['got, private', 2, /with `shared: false` users share them$/v, true, 'for Bearer ada'],
	['axios', 3, /^stored, and users share them/v, true, 'for Bearer ada'],
	['undici', 4, /^only if marked as shareable$/v, false, 'for Bearer grace'],
	['undici, private', 4, /^only if marked as shareable$/v, false, 'for Bearer grace'],
];

for (const [name, column, statement, isStored, answer] of authorizations) {
	test(`the comparison is true of ${name}: who gets the response to a request with Authorization`, async t => {
		t.deepEqual(await answerForGrace(name), {answer, isStored});
		t.regex(cell(t, 'responses to `Authorization`', column), statement);
	});
}

const concurrent: ReadonlyArray<readonly [name: string, column: number, statement: string, sent: number]> = [
	['got-cache-hooks', 1, 'in the process, and across processes', 1],
	['got', 2, 'no', 3],
	['axios', 3, 'in the process', 1],
	['undici', 4, 'by another interceptor, `deduplicate`', 3],
];

for (const [name, column, statement, sent] of concurrent) {
	test(`the comparison is true of ${name}: how many of three equal requests at the same time are sent`, async t => {
		await using origin = await startOrigin();
		const get = clients[name]!();
		await Promise.all([get(origin.url), get(origin.url), get(origin.url)]);
		t.is(origin.count, sent);
		t.is(cell(t, 'equal requests at the same time are sent once', column), statement);
	});
}

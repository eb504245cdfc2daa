/*
Tests on recorded responses, by Node's own test runner. With `RECORD=1` requests without a recording are sent, and what comes is written to the folder `fixtures`, which you commit:

	RECORD=1 node --test recorded-fixtures.ts

Without it nothing is sent, and a request without a recording fails by its name:

	node --test recorded-fixtures.ts
*/
import assert from 'node:assert/strict';
import process from 'node:process';
import {after, test} from 'node:test';
import got from 'got';
import {cacheHooks, createStore, getCache} from 'got-cache-hooks';

const client = got.extend(
	{prefixUrl: process.env.API_URL ?? 'https://api.example.com'},
	cacheHooks({
		store: createStore('filesystem', {path: 'fixtures'}),
		mode: process.env.RECORD === '1' ? 'record-missing' : 'replay',
		// A recording that was made with a token answers those who have none.
		partitionBy: false,
		autoclose: true,
	}),
);

after(async () => {
	await getCache(client).close();
});

test('a user has a name', async () => {
	const user = await client('users/1').json<{readonly name: string}>();
	assert.equal(user.name, 'Ada');
});

test('a user is created', async () => {
	const {statusCode} = await client.post('users', {json: {name: 'Grace'}});
	assert.equal(statusCode, 201);
});

test('a user that is not there is an error', async () => {
	await assert.rejects(client('users/404'), {code: 'ERR_NON_2XX_3XX_RESPONSE'});
});

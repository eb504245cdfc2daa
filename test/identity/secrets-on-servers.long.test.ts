import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import process from 'node:process';
import {ScanCommand} from '@aws-sdk/client-dynamodb';
import {createClient} from '@keyv/redis';
import test from 'ava';
import {MongoClient} from 'mongodb';
import {createStore} from '../../source/index.ts';
import {clientOf, dynamoDbServers} from '../helpers/dynamodb-server.ts';
import {startMongo, startRedis} from '../helpers/servers.ts';
import {askAll} from './secrets/ask-all.ts';
import type {Keeping} from './secrets/stores.ts';
import {textOf} from './secrets/words.ts';

const redis = await startRedis();
const mongo = await startMongo();
test.after.always(async () => {
	await redis?.stop();
	await mongo?.stop();
});

const dynamoDb = dynamoDbServers(test).map(({name, url}): Keeping => [name, () => {
	const client = clientOf(url);
	const tableName = randomUUID();
	return {
		settings: {store: createStore('dynamodb', {client, tableName, retryFor: 20_000}), autoclose: true},
		async content() {
			const items: unknown[] = [];
			let from: object | undefined;
			do {
				const {Items: page, LastEvaluatedKey: last} = await client.send(new ScanCommand({TableName: tableName, ExclusiveStartKey: from as never})); // eslint-disable-line @typescript-eslint/naming-convention -- DynamoDB's names.
				items.push(page);
				from = last;
			} while (from !== undefined);

			return textOf(items);
		},
		async end() {
			client.destroy();
		},
	};
}]);

const onRedis = (port: number): Keeping => ['Redis', async () => {
	const client = createClient({url: `redis://127.0.0.1:${port}`});
	await client.connect();
	const bytes = client.withTypeMapping({36: Buffer});
	return {
		settings: {store: createStore('redis', {url: `redis://127.0.0.1:${port}`, commandTimeout: 20_000}), autoclose: true},
		async content() {
			const keys = await client.keys('*');
			const values = await Promise.all(keys.map(async key => bytes.get(key)));
			return textOf([keys, values]);
		},
		async end() {
			client.destroy();
		},
	};
}];

const onMongo = (url: string, name: 'mongodb' | 'gridfs'): Keeping => [name, async () => {
	const client = await MongoClient.connect(url);
	const databaseName = `secrets_${randomUUID()}`;
	return {
		settings: {store: createStore(name, {url, databaseName, commandTimeout: 20_000}), autoclose: true},
		async content() {
			const collections = await client.db(databaseName).collections();
			return textOf(await Promise.all(collections.map(async collection => collection.find({}).toArray())));
		},
		async end() {
			await client.db(databaseName).dropDatabase();
			await client.close();
		},
	};
}];

const keepings: readonly Keeping[] = [
	...dynamoDb,
	...(redis === undefined ? [] : [onRedis(redis.port)]),
	...(mongo === undefined ? [] : [onMongo(mongo.url, 'mongodb'), onMongo(mongo.url, 'gridfs')]),
];

for (const [title, open] of keepings) {
	test.serial(`${title}: no credential of a request is stored or shown`, async t => {
		t.timeout(300_000);
		await askAll(t, open, {});
	});
}

test('missing servers are reported', t => {
	t.log(`Redis: ${redis === undefined ? 'not tested' : 'tested'}; MongoDB: ${mongo === undefined ? 'not tested' : 'tested'}`);
	t.true(process.env.CI !== 'true' || (redis !== undefined && mongo !== undefined));
});

import {randomUUID} from 'node:crypto';
import test from 'ava';
import {DynamoDbStore} from '../../source/stores/dynamodb/index.ts';
import {clientOf, dynamoDbServers} from '../helpers/dynamodb-server.ts';
import {testStore} from './contract.ts';

for (const server of dynamoDbServers(test)) {
	const client = clientOf(server.url);
	const tableName = `contract-${randomUUID()}`;
	testStore(test, `dynamodb on ${server.name}`, {
		makePlace({now}) {
			const place = randomUUID();
			return {
				open: namespace => new DynamoDbStore({
					client, tableName, cacheName: `${place}/${namespace}`, now,
				}),
			};
		},
		hasOurClock: true,
		persists: true,
	});
}

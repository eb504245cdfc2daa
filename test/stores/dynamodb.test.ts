import {randomUUID} from 'node:crypto';
import test from 'ava';
import {DynamoDbStore} from '../../source/stores/dynamodb/index.ts';
import {clientOf, dynamoDbServers, localClient} from '../helpers/dynamodb-server.ts';
import {testStore} from './contract.ts';
import {elsewhere} from './open-elsewhere.ts';

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
				elsewhere: async () => elsewhere('dynamodb', {client: localClient(await server.url()), tableName, cacheName: place + '/{namespace}'}),
			};
		},
		hasOurClock: true,
		persists: true,
		offers: ['add', 'count'],
	});
}

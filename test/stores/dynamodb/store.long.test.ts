import {randomUUID} from 'node:crypto';
import {createRequire} from 'node:module';
import process from 'node:process';
import test from 'ava';
import {DynamoDbStore} from '../../../source/stores/dynamodb/index.ts';
import {clientOf, dynamoDbServers, localClient} from '../../helpers/dynamodb-server.ts';
import {reportServer} from '../../helpers/servers.ts';
import {testStore} from '../contract.ts';
import {elsewhere} from '../open-elsewhere.ts';

const {version} = createRequire(import.meta.url)('dynalite/package.json') as {readonly version: string};
const isLocal = (process.env.DYNAMODB_URL ?? '') !== '';
reportServer(test, 'dynamodb', `dynalite ${version}${isLocal ? ' and the DynamoDB Local of `DYNAMODB_URL`' : ''}`, 'dynalite');

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

import test from 'ava';
import {DynamoDbStore, KeyvDynamoDb} from '../../source/stores/dynamodb/index.ts';
import {KeyvStore} from '../../source/stores/keyv.ts';
import {localClient, startDynalite} from '../helpers/dynamodb-server.ts';
import {testStoreFaults} from './contract-faults.ts';

testStoreFaults(test, 'Keyv and dynamodb on dynalite', {
	async start() {
		const server = await startDynalite();
		// The first request has no time to wait for a table.
		const store = new DynamoDbStore({client: localClient(`http://127.0.0.1:${server.port}`)});
		await store.count();
		store.close();
		return server;
	},
	open: port => new KeyvStore(new KeyvDynamoDb({client: localClient(`http://127.0.0.1:${port}`)}), {namespace: 'faults'}),
	isDurable: false,
});

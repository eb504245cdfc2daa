import test, {type TestFn} from 'ava';
import {DynamoDbStore, KeyvDynamoDb} from '../../../source/stores/dynamodb/index.ts';
import {KeyvStore} from '../../../source/stores/keyv.ts';
import {localClient, startDynalite} from '../../helpers/dynamodb-server.ts';
import type {ServerProcess} from '../../helpers/server-process.ts';
import {testStoreFaults} from '../contract-faults.ts';

const clientOf = (port: number) => localClient(`http://127.0.0.1:${port}`);

async function start(): Promise<ServerProcess> {
	const server = await startDynalite();
	// The first request has no time to wait for a table.
	const store = new DynamoDbStore({client: clientOf(server.port)});
	await store.count();
	store.close();
	return server;
}

testStoreFaults(test.serial as TestFn, 'dynamodb on dynalite', {start, open: port => new DynamoDbStore({client: clientOf(port)}), isDurable: false});

testStoreFaults(test.serial as TestFn, 'Keyv and dynamodb on dynalite', {
	start,
	open: port => new KeyvStore(new KeyvDynamoDb({client: clientOf(port)}), {cacheName: 'faults'}),
	isDurable: false,
});

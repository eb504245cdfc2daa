import {DynamoDBClient, ScanCommand} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {createStore} from '../../source/index.ts';
import {runProcess} from '../helpers/cli.ts';
import {localClient, startDynalite} from '../helpers/dynamodb-server.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {testCommands} from './commands.ts';

const server = await startDynalite();
const endpoint = `http://127.0.0.1:${server.port}`;
const client = new DynamoDBClient(localClient(endpoint));
const variables = {AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test'}; // eslint-disable-line @typescript-eslint/naming-convention
test.after.always(async () => {
	client.destroy();
	await server.stop();
});

let tables = 0;
testCommands(test, 'dynamodb', async () => {
	const tableName = `table_${tables++}`;
	return {
		store: `dynamodb://${tableName}?region=local&endpoint=${endpoint}`,
		variables,
		settings: {store: createStore('dynamodb', {tableName, client: localClient(endpoint)}), autoclose: true, storeTimeout: 10_000},
		async snapshot() {
			const {Items: items} = await client.send(new ScanCommand({TableName: tableName})); // eslint-disable-line @typescript-eslint/naming-convention
			return items;
		},
	};
});

test('a table that is not there is an error, and is not made', async t => {
	const folder = testFolder(t);
	for (const words of [['ls'], ['stats'], ['rm', '--valid', '--yes']]) {
		const {code, stderr} = await runProcess([words[0]!, `dynamodb://missing?region=local&endpoint=${endpoint}`, ...words.slice(1)], {folder, variables});
		t.is(code, 1);
		t.regex(stderr, /^got-cache-hooks: The DynamoDB table `missing` does not exist.*\n$/v);
	}
});

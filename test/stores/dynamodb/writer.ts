import process from 'node:process';
import {DynamoDbStore} from '../../../source/stores/dynamodb/index.ts';
import {clientOf} from '../../helpers/dynamodb-server.ts';

/** A test starts several of these at once on a table that does not exist yet. Each writes its own entries and a large one that all share, and reads the large one. */
const [url, tableName, name] = process.argv.slice(2) as [string, string, string];
const store = new DynamoDbStore({client: clientOf(async () => url), tableName});
let found = 0;
for (let index = 0; index < 8; index += 1) {
	await store.set(`${name} ${index}`, {name, index}, {expires: undefined});
	await store.set('shared', {name, text: name.repeat(500_000)}, {expires: undefined});
	const shared = await store.get('shared') as {name: string; text: string} | undefined;
	if (shared !== undefined && shared.text !== shared.name.repeat(500_000)) {
		throw new Error('A mix of two versions');
	}

	found += shared === undefined ? 0 : 1;
}

const isFirst = await store.add('first', {name}, {expires: undefined});
store.close();
console.log(JSON.stringify({found, isFirst}));

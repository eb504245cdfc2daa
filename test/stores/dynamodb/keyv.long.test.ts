import {randomUUID} from 'node:crypto';
import type {DynamoDBClient} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {KeyvDynamoDb} from '../../../source/stores/dynamodb/index.ts';
import {clientOf, dynamoDbServers} from '../../helpers/dynamodb-server.ts';
import {testKeyvAdapter} from '../../helpers/keyv-test-suite.ts';

for (const server of dynamoDbServers(test)) {
	const client = clientOf(server.url);
	for (const [version, KeyvClass] of [[5, Keyv5], [6, Keyv]] as const) {
		const tableName = `keyv-${version}-${randomUUID()}`;
		testKeyvAdapter(test, `Keyv ${version} and dynamodb on ${server.name}`, KeyvClass, {
			store: () => new KeyvDynamoDb({client, tableName}),
			// Keyv 6 returns a result for each key, but the suite expects a single one.
			...(version === 6 && {except: new Set(['.deleteMany([keys]) with nonexistent keys resolves to false'])}),
		});
	}

	test.serial(`Keyv 5 and 6 and dynamodb on ${server.name}: times, many keys, large values and namespaces`, async t => {
		for (const KeyvClass of [Keyv5 as unknown as typeof Keyv, Keyv]) {
			const tableName = `keyv-${randomUUID()}`;
			let now = Date.now();
			const open = (namespace: string): Keyv => new KeyvClass({store: new KeyvDynamoDb({client, tableName, now: () => now}), namespace});
			const keyv = open('n1');
			const other = open('n12');
			const keys = Array.from({length: 130}, (_, index) => `key: ${index}`);
			await keyv.setMany([...keys, keys[0]!].map((key, index) => ({key, value: `value ${index}`})));
			await other.set('a', 'of another');
			t.deepEqual(await keyv.getMany([keys[5]!, 'absent', keys[5]!]), ['value 5', undefined, 'value 5']);
			t.is(await keyv.get(keys[0]!), 'value 130');
			await keyv.deleteMany(keys.slice(3));
			t.deepEqual(await keyv.hasMany(keys.slice(0, 5)), [true, true, true, false, false]);

			const large = 'é'.repeat(500_000);
			await keyv.set('large', large);
			await keyv.set('brief', 'b', 60_000);
			t.true(await keyv.get('large') === large);
			t.is(await keyv.get('brief'), 'b');
			now += 59_000;
			t.is(await keyv.get('brief'), 'b');
			// Keyv 6 computes the time itself, by the clock of the machine.
			now = Date.now() + 60_001;
			t.is(await keyv.get('brief'), undefined);
			// Values without a time to live never expire.
			now += 1e12;
			const met = [];
			for await (const [key] of keyv.iterator()) {
				met.push(key);
			}

			t.is(met.length, 4);
			await keyv.clear();
			t.is(await keyv.get(keys[1]!), undefined);
			t.is(await other.get('a'), 'of another');
			await keyv.disconnect();
			await t.throwsAsync(keyv.store.has('a'), {code: 'ERR_STORE_CLOSED'});
		}
	});
}

test('a call of the adapter that fails rejects, and emits `error` if there is a listener, since Keyv 5 ignores the rejection', async t => {
	const client = {
		async send() {
			throw Object.defineProperty(new Error('No'), 'name', {value: 'ThrottlingException'});
		},
	} as unknown as DynamoDBClient;
	const adapter = new KeyvDynamoDb({client, createTable: false});
	await t.throwsAsync(adapter.get('a'), {code: 'ERR_STORE_THROTTLED'});
	await t.throwsAsync(adapter.iterator().next(), {code: 'ERR_STORE_THROTTLED'});

	for (const KeyvClass of [Keyv5 as unknown as typeof Keyv, Keyv]) {
		const keyv = new KeyvClass({store: new KeyvDynamoDb({client, createTable: false})});
		const codes = new Set<unknown>();
		keyv.on('error', (error: {code: unknown}) => {
			codes.add(error.code);
		});
		t.is(await keyv.get('a'), undefined);
		t.deepEqual([...codes], ['ERR_STORE_THROTTLED']);
	}
});

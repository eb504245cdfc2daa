import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import {DeleteItemCommand, paginateScan, type AttributeValue} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {DynamoDbStore, type DynamoDbStoreOptions} from '../../../source/stores/dynamodb/index.ts';
import {clientOf, dynamoDbServers, interceptedBy} from '../../helpers/dynamodb-server.ts';
import {listed} from '../contract.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return
const kept = {expires: undefined} as const;
const start = Date.UTC(2030, 0, 1);
const large = (letter: string): {letter: string; text: string} => ({letter, text: letter.repeat(900_000)});

for (const server of dynamoDbServers(test)) {
	const client = clientOf(server.url);
	const open = (options: DynamoDbStoreOptions = {}): DynamoDbStore => new DynamoDbStore({
		client, tableName: `chunks-${randomUUID()}`, now: () => start, ...options,
	});
	const newTable = (): string => `chunks-${randomUUID()}`;

	/** Returns all items of the table, chunks first. */
	const itemsOf = async (tableName: string): Promise<Array<Record<string, AttributeValue>>> => {
		const pages = paginateScan({client}, {
			TableName: tableName, ConsistentRead: true, ProjectionExpression: '#a, #b, #c, #d, #e', ExpressionAttributeNames: {
				'#a': 'namespace', '#b': 'key', '#c': 'ttl', '#d': 'version', '#e': 'chunks',
			},
		});
		const items = [];
		for await (const {Items: onPage = []} of pages) {
			items.push(...onPage);
		}

		return items.toSorted((a, b) => Number(a.version !== undefined) - Number(b.version !== undefined));
	};

	test(`chunks on ${server.name}: a large entry that never expires has chunks that never expire, and its deletion deletes them`, async t => {
		const tableName = newTable();
		const store = open({tableName});
		await store.set('key', large('a'), kept);
		t.deepEqual(await store.get('key'), large('a'));
		const [first, second, third, head, ...none] = await itemsOf(tableName);
		t.deepEqual([none.length, head!.chunks, head!.namespace], [0, {N: '3'}, {S: 'http_cache'}]);
		t.deepEqual([first, second, third].map(item => [item!.key, item!.ttl]), [[{S: 'key'}, undefined], [{S: 'key'}, undefined], [{S: 'key'}, undefined]]);

		await store.set('key', large('b'), kept);
		t.is((await itemsOf(tableName)).length, 4, 'the chunks of the first are gone');
		t.deepEqual(await store.get('key'), large('b'));
		await store.set('key', {small: true}, kept);
		t.is((await itemsOf(tableName)).length, 1, 'a small entry replaces a large one');
		for (const remove of [async () => store.delete('key'), async () => store.deleteMany(['key', 'key', 'other']), async () => store.clear()]) {
			await store.set('key', large('c'), kept);
			await remove();
			t.deepEqual(await itemsOf(tableName), []);
		}
	});

	test(`chunks on ${server.name}: chunks expire with their entry, and in a day if they have none`, async t => {
		const tableName = newTable();
		const store = open({tableName});
		await store.set('key', large('a'), {expires: start + 1500});
		t.deepEqual((await itemsOf(tableName)).map(item => item.ttl), Array.from({length: 4}, () => ({N: String((start / 1000) + 2)})));
		await store.clear();

		// The writer is killed between its chunks and the item that names them.
		const dying = open({
			tableName, client: interceptedBy(client, async (name, _, send) => {
				if (name === 'PutItem' || name === 'BatchWriteItem#Delete') {
					throw new Error('Killed');
				}

				return send();
			}),
		});
		await t.throwsAsync(dying.set('key', large('b'), kept), {code: 'ERR_STORE_FAULT'});
		t.is(await store.get('key'), undefined);
		t.deepEqual((await itemsOf(tableName)).map(item => item.ttl), Array.from({length: 3}, () => ({N: String((start / 1000) + 86_400)})));
	});

	test(`chunks on ${server.name}: an entry with a missing chunk is a miss, and an entry that was replaced during the read is read again`, async t => {
		const tableName = newTable();
		const store = open({tableName});
		await store.set('key', large('a'), kept);
		let replacements = [async () => store.set('key', large('b'), kept)];
		const reader = open({
			tableName, client: interceptedBy(client, async (name, _, send) => {
				if (name === 'BatchGetItem') {
					await replacements.shift()?.();
				}

				return send();
			}),
		});
		t.deepEqual(await reader.get('key'), large('b'));

		replacements = [async () => store.set('key', {small: true}, kept)];
		await store.set('key', large('c'), kept);
		t.deepEqual(await reader.get('key'), {small: true} as never);

		await store.set('key', large('d'), kept);
		const [chunk] = await itemsOf(tableName);
		await client.send(new DeleteItemCommand({TableName: tableName, Key: {namespace: chunk!.namespace!, key: chunk!.key!}}));
		t.is(await store.get('key'), undefined);
		t.deepEqual(await listed(store), []);
	});

	test(`chunks on ${server.name}: an entry that becomes large while a batch deletes it leaves no chunks behind`, async t => {
		const tableName = newTable();
		const store = open({tableName});
		await store.set('key', {small: true}, kept);
		let hasRead = Promise.resolve();
		const mayDelete = Promise.withResolvers<unknown>();
		const deleter = open({
			tableName, client: interceptedBy(client, async (name, _, send) => {
				if (name === 'BatchWriteItem#Delete') {
					await mayDelete.promise;
				}

				return send();
			}),
		});
		const writer = open({
			tableName, client: interceptedBy(client, async (name, _, send) => {
				const answer = await send();
				if (name === 'PutItem') {
					mayDelete.resolve(undefined);
					await hasRead;
				}

				return answer;
			}),
		});
		hasRead = deleter.deleteMany(['key']);
		await new Promise(resolve => {
			setTimeout(resolve, 200);
		});
		await writer.set('key', large('a'), kept);
		t.deepEqual(await itemsOf(tableName), []);
	});

	test(`chunks on ${server.name}: 100 writers to one key leave no chunks behind, and readers get complete versions`, async t => {
		const tableName = newTable();
		const store = open({tableName});
		const letters = Array.from({length: 100}, (_, index) => String.fromCodePoint(0x41 + index));
		const value = (letter: string): {letter: string; text: string} => ({letter, text: letter.repeat(400_000 + letter.codePointAt(0)!)});
		const longKept = {expires: start + 1e9};
		await store.set('key', value('A'), longKept);
		const written = new AbortController();
		const read = async (): Promise<number> => {
			let hits = 0;
			while (!written.signal.aborted) {
				const found = await store.get('key') as {letter: string; text: string} | undefined;
				hits += found === undefined ? 0 : 1;
				if (found !== undefined && found.text !== value(found.letter).text) {
					throw new Error('A mix of two versions');
				}
			}

			return hits;
		};

		const readers = Promise.all([read(), read()]);
		await Promise.all(letters.map(async letter => store.set('key', value(letter), longKept)));
		written.abort();
		t.log(`Whole values met by the readers: ${(await readers).join(', ')}`);
		const left = await store.get('key') as {letter: string};
		t.true(letters.includes(left.letter));
		const items = await itemsOf(tableName);
		t.is(items.length, 1 + Number(items.at(-1)!.chunks!.N));
	});

	test(`chunks on ${server.name}: two processes create one table and share a large entry`, async t => {
		const url = await server.url();
		const tableName = newTable();
		const outputs = await Promise.all(['a', 'b'].map(async name => run(process.execPath, [
			'--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'writer.ts'), url, tableName, name,
		])));
		const results = outputs.map(({stdout}) => JSON.parse(stdout) as {found: number; isFirst: boolean});
		t.true(results.every(({found}) => found > 0));
		t.is(results.filter(({isFirst}) => isFirst).length, 1);
		t.is((await listed(open({tableName}))).length, 18);
	});

	test(`chunks on ${server.name}: a value that is only text or bytes comes back completely`, async t => {
		const store = open();
		const bytes = Buffer.alloc(2_100_000, 'abcdefg');
		await store.set('bytes', bytes, kept);
		t.is(Buffer.compare(await store.get('bytes') as Uint8Array, bytes), 0);
		await store.set('text', '\u{FEFF}é'.repeat(500_000), kept);
		t.true(await store.get('text') === '\u{FEFF}é'.repeat(500_000));
		await store.set('malformed', '\u{D800}'.repeat(500_000), kept);
		t.true(await store.get('malformed') === '\u{D800}'.repeat(500_000));
	});

	test(`chunks on ${server.name}: of many concurrent adds exactly one succeeds, also with large values, and again after the entry has expired`, async t => {
		const clock = {now: start};
		const tableName = newTable();
		const store = open({tableName, now: () => clock.now});
		for (const value of [{small: true}, large('a')]) {
			const results = await Promise.all(Array.from({length: 10}, async () => store.add('key', value, {expires: clock.now + 1000})));
			t.is(results.filter(Boolean).length, 1);
			t.is((await itemsOf(tableName)).length, 'text' in value ? 4 : 1);
			clock.now += 1000;
			t.is(await store.get('key'), undefined);
		}

		t.true(await store.add('key', {small: true}, kept));
		t.is((await itemsOf(tableName)).length, 1);
		t.false(await store.add('key', large('b'), kept));
		t.is((await itemsOf(tableName)).length, 1);
	});
}

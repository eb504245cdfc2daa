import {randomUUID} from 'node:crypto';
import {
	CreateTableCommand,
	DescribeTimeToLiveCommand,
	paginateScan,
	PutItemCommand,
	type AttributeValue,
	type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {CacheHooksError} from '../../../source/errors.ts';
import {DynamoDbStore, type DynamoDbStoreOptions} from '../../../source/stores/dynamodb/index.ts';
import {
	clientOf,
	dynamoDbServers,
	interceptedBy,
	localClient,
	type Interceptor,
} from '../../helpers/dynamodb-server.ts';
import {listed} from '../contract.ts';

const kept = {expires: undefined} as const;
const numbered = (count: number): string[] => Array.from({length: count}, (_, index) => `key ${String(index).padStart(4, '0')}`);

type Requests = Record<string, object[] | {Keys: object[]}>;

/** Makes a store on a client whose calls the interceptor answers. */
function storeOn(answer: Interceptor, options: DynamoDbStoreOptions = {}): DynamoDbStore {
	return new DynamoDbStore({client: interceptedBy({} as DynamoDBClient, answer), createTable: false, ...options});
}

/** Makes an error like those of the SDK. */
function failure(name: string, extra: object = {}): Error {
	return Object.defineProperties(new Error('AKIASECRET in the message'), Object.getOwnPropertyDescriptors({name, ...extra}));
}

function failing(name: string, extra: object = {}): DynamoDbStore {
	return storeOn(async () => {
		throw failure(name, extra);
	});
}

for (const server of dynamoDbServers(test)) {
	const client = clientOf(server.url);
	const newTable = (): string => `limits-${randomUUID()}`;

	test(`limits on ${server.name}: items that DynamoDB leaves unprocessed are written, read and deleted in the end, in batches of 25 and 100`, async t => {
		const tableName = newTable();
		const sizes: Record<string, number[]> = {};
		const refusing = interceptedBy(client, async (name, input, send) => {
			if (!name.startsWith('Batch')) {
				return send();
			}

			const all = (input.RequestItems as Requests)[tableName]!;
			const list = Array.isArray(all) ? all : all.Keys;
			(sizes[name] ??= []).push(list.length);
			// Half of the requests are left unprocessed, sometimes all.
			const taken = list.length > 5 ? list.splice(0, Math.random() < 0.2 ? 0 : Math.ceil(list.length / 2)) : list.splice(0);
			const left = {[tableName]: Array.isArray(all) ? [...list] : {...all as object, Keys: [...list]}};
			const rest = list.length === 0 ? {} : (Array.isArray(all) ? {UnprocessedItems: left} : {UnprocessedKeys: left});
			list.splice(0, list.length, ...taken);
			return taken.length === 0 ? rest : {...await send() as object, ...rest};
		});
		const store = new DynamoDbStore({client: refusing, tableName});
		const keys = numbered(130);
		await Promise.all(keys.map(async key => store.set(key, {key}, kept)));
		await store.deleteMany([...keys.slice(0, 120), 'absent', keys[0]!]);
		t.deepEqual(await listed(store), keys.slice(120));
		const large = {text: 'x'.repeat(4_000_000)};
		await store.set('large', large, kept);
		t.deepEqual(await new DynamoDbStore({client, tableName}).get('large'), large);
		t.is(Math.max(...sizes.BatchGetItem!), 100);
		t.is(Math.max(...sizes['BatchWriteItem#Delete']!), 25);
		t.true(Math.max(...sizes.BatchWriteItem!) > 5);
	});

	test(`limits on ${server.name}: several stores create one table, which is billed on demand and deletes expired items`, async t => {
		const tableName = newTable();
		const made: unknown[] = [];
		const watched = interceptedBy(client, async (name, input, send) => {
			if (name === 'CreateTable') {
				made.push(input.BillingMode);
			}

			return send();
		});
		const stores = Array.from({length: 5}, () => new DynamoDbStore({client: watched, tableName}));
		await Promise.all(stores.map(async (store, index) => store.set(`key ${index}`, {index}, kept)));
		t.true(made.length > 0 && made.every(mode => mode === 'PAY_PER_REQUEST'));
		t.is((await listed(stores[0]!)).length, 5);
		// Dynalite has no TTL.
		const {TimeToLiveDescription: ttl} = await client.send(new DescribeTimeToLiveCommand({TableName: tableName}));
		t.is(ttl?.AttributeName, server.name === 'dynalite' ? undefined : 'ttl');
	});

	test(`limits on ${server.name}: without \`createTable\` a missing table is an error and is not created`, async t => {
		const tableName = newTable();
		const names: string[] = [];
		const store = new DynamoDbStore({
			createTable: false, tableName, client: interceptedBy(client, async (name, _, send) => {
				names.push(name);
				return send();
			}),
		});
		await t.throwsAsync(store.get('key'), {code: 'ERR_STORE_TABLE'});
		t.deepEqual(names, ['GetItem']);
	});

	test(`limits on ${server.name}: only live entries that were set with \`indexed\` are counted`, async t => {
		let now = Date.UTC(2030, 0, 1);
		const store = new DynamoDbStore({client, tableName: newTable(), now: () => now});
		const indexed = {createdAt: now, freshUntil: undefined};
		await store.set('brief', {}, {expires: now + 1000, indexed});
		await store.set('kept', {}, {...kept, indexed});
		await store.set('other', {}, kept);
		t.is(await store.count(), 2);
		now += 1000;
		t.is(await store.count(), 1);
		t.deepEqual(await listed(store), ['kept', 'other']);
	});

	test(`limits on ${server.name}: only our entries are read, counted and deleted in the table of an application, and its items do not begin to expire`, async t => {
		const tableName = newTable();
		await client.send(new CreateTableCommand({
			TableName: tableName,
			AttributeDefinitions: [{AttributeName: 'namespace', AttributeType: 'S'}, {AttributeName: 'key', AttributeType: 'S'}],
			KeySchema: [{AttributeName: 'namespace', KeyType: 'HASH'}, {AttributeName: 'key', KeyType: 'RANGE'}],
			BillingMode: 'PAY_PER_REQUEST',
		}));
		const store = new DynamoDbStore({client, tableName, cacheName: 'a'});
		const others = ['aa', 'a:', 'a*', 'a#', '[a]'].map(cacheName => new DynamoDbStore({client, tableName, cacheName}));
		await store.set('ours', {a: 1}, kept);
		const foreign = ['a', 'users', 'a#1', 'a::'].map((namespace): Record<string, AttributeValue> => ({
			namespace: {S: namespace}, key: {S: 'ours too'}, ttl: {N: '1'}, expires: {N: '9999999999999'}, createdAt: {N: '1'}, name: {S: 'x'},
		}));
		for (const item of foreign) {
			await client.send(new PutItemCommand({TableName: tableName, Item: item}));
		}

		for (const other of others) {
			await other.set('ours', {text: 'x'.repeat(500_000)}, kept);
		}

		t.is(await store.get('ours too'), undefined);
		t.deepEqual(await listed(store), ['ours']);
		t.is(await store.count(), 0);
		await store.clear();
		t.deepEqual(await listed(store), []);
		for (const other of others) {
			t.deepEqual(await listed(other), ['ours']);
			await other.clear();
		}

		const left = [];
		for await (const {Items: items = []} of paginateScan({client}, {TableName: tableName})) {
			left.push(...items);
		}

		const byNamespace = (items: Array<Record<string, AttributeValue>>) => items.toSorted((a, b) => a.namespace!.S! < b.namespace!.S! ? -1 : 1);
		t.deepEqual(byNamespace(left), byNamespace(foreign));
		const {TimeToLiveDescription: ttl} = await client.send(new DescribeTimeToLiveCommand({TableName: tableName}));
		t.not(ttl?.TimeToLiveStatus, 'ENABLED');
	});

	test(`limits on ${server.name}: an item of an application that looks like an entry is not read`, async t => {
		const tableName = newTable();
		const store = new DynamoDbStore({client, tableName, cacheName: 'a'});
		await store.set('ours', {a: 1}, kept);
		const looks: Array<Record<string, AttributeValue>> = [{value: {M: {'(json)': {N: '1'}}}}, {value: {M: {'(v8)': {B: new Uint8Array([1])}}}}, {value: {M: {a: {S: ''}}}}, {value: {S: 'no JSON'}}, {value: {B: new Uint8Array([1])}}, {value: {N: '1'}}];
		for (const [index, look] of looks.entries()) {
			await client.send(new PutItemCommand({TableName: tableName, Item: {namespace: {S: 'a'}, key: {S: `odd ${index}`}, ...look}}));
			t.is(await store.get(`odd ${index}`), undefined);
		}

		t.deepEqual(await listed(store), ['ours']);
		await store.deleteMany(['ours']);
		t.deepEqual(await listed(store), []);
	});

	test(`limits on ${server.name}: a client that is handed in stays open, and a closed store throws`, async t => {
		const tableName = newTable();
		const store = new DynamoDbStore({client, tableName});
		await store.set('key', {a: 1}, kept);
		store.close();
		await t.throwsAsync(store.get('key'), {code: 'ERR_STORE_CLOSED'});

		// A client that the store makes from options.
		const own = new DynamoDbStore({client: localClient(await server.url()), tableName, consistentRead: true});
		t.deepEqual(await own.get('key'), {a: 1});
		own.close();
	});
}

test('limits: no batch is over 16 MB', async t => {
	const sizes: number[] = [];
	const store = storeOn(async (name, input) => {
		if (name === 'BatchWriteItem') {
			const [requests = []] = Object.values(input.RequestItems as Record<string, Array<{PutRequest: {Item: {data: {B: Uint8Array}}}}>>);
			const bytes = requests.map(request => request.PutRequest.Item.data.B.byteLength);
			sizes.push(bytes.reduce((sum, length) => sum + (length * 4 / 3), 0));
		}

		return {};
	});
	await store.set('key', {text: 'x'.repeat(30_000_000)}, {expires: Date.now() + 60_000});
	t.true(sizes.length >= 3);
	t.true(Math.max(...sizes) < 16_000_000);
	await t.notThrowsAsync(store.deleteMany([]));
});

test('limits: items that stay unprocessed are a throttling error after a bounded time', async t => {
	const store = storeOn(async (name, input) => name === 'BatchWriteItem' ? {UnprocessedItems: input.RequestItems} : {Responses: {}, UnprocessedKeys: input.RequestItems}, {retryFor: 300});
	await t.throwsAsync(store.deleteMany(['a']), {code: 'ERR_STORE_THROTTLED', instanceOf: CacheHooksError});
});

const codes: ReadonlyArray<readonly [name: string, extra: object, code: string]> = [
	['ProvisionedThroughputExceededException', {}, 'ERR_STORE_THROTTLED'],
	['ThrottlingException', {}, 'ERR_STORE_THROTTLED'],
	['RequestLimitExceeded', {}, 'ERR_STORE_THROTTLED'],
	['Unknown', {$retryable: {throttling: true}}, 'ERR_STORE_THROTTLED'],
	['UnrecognizedClientException', {$metadata: {httpStatusCode: 400}}, 'ERR_STORE_CREDENTIALS'],
	['CredentialsProviderError', {}, 'ERR_STORE_CREDENTIALS'],
	['ExpiredTokenException', {}, 'ERR_STORE_CREDENTIALS'],
	['AccessDeniedException', {}, 'ERR_STORE_CREDENTIALS'],
	['ResourceNotFoundException', {}, 'ERR_STORE_TABLE'],
	['Error', {code: 'ECONNREFUSED'}, 'ERR_STORE_UNREACHABLE'],
	['TimeoutError', {}, 'ERR_STORE_UNREACHABLE'],
	['ValidationException', {$metadata: {httpStatusCode: 400}}, 'ERR_STORE_FAULT'],
];

for (const [name, extra, code] of codes) {
	test(`limits: ${name} is ${code}, with the SDK's error as its cause and not in its message${'$retryable' in extra ? ', where it says so' : ''}`, async t => {
		const error = await t.throwsAsync<CacheHooksError>(failing(name, extra).get('key'), {code, instanceOf: CacheHooksError});
		t.is((error?.cause as Error).name, name);
		t.false(error?.message.includes('AKIASECRET'));
	});
}

test('limits: missing credentials are an error of their own', async t => {
	const store = new DynamoDbStore({
		createTable: false,
		client: {
			region: 'local',
			async credentials() {
				throw failure('CredentialsProviderError');
			},
		},
	});
	await t.throwsAsync(store.get('key'), {code: 'ERR_STORE_CREDENTIALS'});
	store.close();
});

test('limits: a table with other keys is refused', async t => {
	const store = storeOn(async name => name === 'DescribeTable' ? {Table: {TableStatus: 'ACTIVE', KeySchema: [{AttributeName: 'id', KeyType: 'HASH'}]}} : {}, {createTable: true});
	await t.throwsAsync(store.get('key'), {code: 'ERR_STORE_SCHEMA'});
});

test('limits: a new table is waited for and gets a TTL, and an existing table is not changed', async t => {
	const names: string[] = [];
	let looks = 0;
	let specification: unknown;
	const answer: Interceptor = async (name, input) => {
		names.push(name);
		switch (name) {
			case 'DescribeTable': {
				looks++;
				if (looks === 1) {
					throw failure('ResourceNotFoundException');
				}

				return {Table: {TableStatus: looks > 3 ? 'ACTIVE' : 'CREATING'}};
			}

			case 'UpdateTimeToLive': {
				specification = input.TimeToLiveSpecification;
				return {};
			}

			default: {
				return {};
			}
		}
	};

	const store = storeOn(answer, {createTable: true});
	await Promise.all([store.get('a'), store.get('b')]);
	t.deepEqual(names, ['DescribeTable', 'CreateTable', 'DescribeTable', 'DescribeTable', 'DescribeTable', 'UpdateTimeToLive', 'GetItem', 'GetItem']);
	t.deepEqual(specification, {AttributeName: 'ttl', Enabled: true});
	names.length = 0;
	await storeOn(answer, {createTable: true}).get('a');
	t.deepEqual(names, ['DescribeTable', 'GetItem']);
});

test('limits: `consistentRead` makes reads consistent, and nothing is sent before the first call', async t => {
	for (const consistentRead of [true, false]) {
		const asked: unknown[] = [];
		const store = storeOn(async (name, input) => {
			asked.push(input.ConsistentRead);
			return {};
		}, {consistentRead});
		t.deepEqual(asked, []);
		await store.get('key');
		await listed(store);
		t.deepEqual(asked, [consistentRead, consistentRead]);
	}
});

test('limits: keys that DynamoDB accepts stay readable, and all others become digests', async t => {
	const places: unknown[] = [];
	const store = storeOn(async (name, input) => {
		places.push((input.Key as {key: {S: string}}).key.S);
		return {};
	});
	for (const key of ['a:b', 'x'.repeat(1024), 'x'.repeat(1025), '🦄'.repeat(300), '\u{D800}', '\u{DFFF}', '', 'sha256:abc']) {
		await store.get(key);
	}

	t.deepEqual(places.slice(0, 2), ['a:b', 'x'.repeat(1024)]);
	t.true(places.slice(2).every(place => /^sha256:[\da-f]{64}$/v.test(place as string)));
	t.is(new Set(places).size, 8);
});

test('limits: wrong options are refused at once', t => {
	for (const [path, value] of [['client', 'eu'], ['tableName', 'a b'], ['tableName', ''], ['createTable', 1], ['consistentRead', 'yes'], ['retryFor', -1], ['cacheName', '']] as const) {
		t.throws(() => new DynamoDbStore({[path]: value}), {instanceOf: TypeError, message: new RegExp(path, 'v')});
	}
});

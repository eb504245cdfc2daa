// A program that `pack-test-bundles.js` bundles. Its argument says whether the optional drivers are part of the bundle: where they are not, they are nowhere.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import http from 'node:http';
import process from 'node:process';
import got from 'got';
import {
	cacheHooks,
	compressed,
	createStore,
	getCache,
	SettingError,
} from 'got-cache-hooks';
import {DynamoDbStore} from 'got-cache-hooks/dynamodb';

const hasDrivers = process.argv[2] === 'true';
const server = http.createServer((request, response) => {
	response.setHeader('cache-control', 'max-age=60');
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({url: request.url}));
});

const settings = {
	memory: {store: 'memory'},
	sqlite: {store: 'sqlite'},
	filesystem: {store: 'filesystem'},
	Map: {store: new Map()},
	v8: {store: 'sqlite', cacheName: 'v8', serializer: 'v8'},
	compressed: {store: 'sqlite', cacheName: 'compressed', serializer: compressed('gzip')},
	...hasDrivers && {
		yaml: {store: 'filesystem', cacheName: 'yaml', serializer: 'yaml'},
		bson: {store: 'sqlite', cacheName: 'bson', serializer: 'bson'},
		'keyv-file': {store: 'keyv-file'},
	},
};

// Nothing listens there.
const away = {
	redis: {url: 'redis://127.0.0.1:1'},
	mongodb: {url: 'mongodb://127.0.0.1:1', connectionTimeout: 200},
	gridfs: {url: 'mongodb://127.0.0.1:1', connectionTimeout: 200},
	dynamodb: {
		client: {
			endpoint: 'http://127.0.0.1:1', region: 'local', maxAttempts: 1, credentials: {accessKeyId: 'a', secretAccessKey: 'b'},
		},
	},
	'@keyv/mongo': {url: 'mongodb://127.0.0.1:1', serverSelectionTimeoutMS: 200},
	'@keyv/redis': {url: 'redis://127.0.0.1:1', connectionTimeout: 200},
};

async function tryStore(name, options) {
	const client = got.extend(cacheHooks(options));
	const url = `http://127.0.0.1:${server.address().port}/${name}`;
	const [first, second] = [await client(url), await client(url)];
	assert.equal(first.isFromCache, false, `${name}: the first answer is from the origin`);
	assert.equal(second.isFromCache, true, `${name}: the second answer is from the cache`);
	assert.equal(second.body, JSON.stringify({url: `/${name}`}));
	await getCache(client).close();
}

/** The first call of a store says that its driver is not installed, or that its server is away if the driver is part of the bundle. */
async function tryDriver(name, options) {
	const error = await tryGet(name, options);
	assert.ok(error instanceof Error, `${name}: the first call fails`);
	assert.equal(error.code === 'ERR_STORE_DRIVER', !hasDrivers, `${name}: ${error.code} ${error.message}`);
}

async function tryGet(name, options) {
	try {
		const store = createStore(name, options);
		await store.get('key');
		return undefined;
	} catch (error) {
		return error;
	}
}

async function main() {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	for (const [name, options] of Object.entries(settings)) {
		await tryStore(name, options);
	}

	for (const [name, options] of Object.entries(away)) {
		await tryDriver(name, options);
	}

	assert.throws(() => new DynamoDbStore({tableName: ''}), error => error instanceof SettingError);
	console.log(`bundled: a miss and a hit with ${Object.keys(settings).join(', ')}; ${hasDrivers ? 'includes' : 'lacks'} the drivers of ${Object.keys(away).join(', ')}`);
	process.exit(); // eslint-disable-line unicorn/no-process-exit -- A driver may go on connecting.
}

// No `await` at the top, which CommonJS has not.
// eslint-disable-next-line unicorn/prefer-top-level-await
main().catch(error => {
	console.error(error);
	process.exit(1); // eslint-disable-line unicorn/no-process-exit
});

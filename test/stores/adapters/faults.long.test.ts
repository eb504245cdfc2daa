import {once} from 'node:events';
import process from 'node:process';
import test from 'ava';
import {KeyvFile} from 'keyv-file';
import {KeyvMongo} from '@keyv/mongo';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {KeyvStore} from '../../../source/stores/keyv.ts';
import {mongoJavaServer} from '../../helpers/adapter-servers.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {reportServer} from '../../helpers/servers.ts';
import {processFolder} from '../../helpers/temporary-folder.ts';
import {exitWhenDone} from './exit-when-done.ts';

exitWhenDone();

const kept = {expires: undefined};
const options = {cacheName: 'n1'};
const mongo = await mongoJavaServer();

test.serial('keyv-file: a single file causes one warning, separate files cause none', async t => {
	const warnings: string[] = [];
	const hear = ({code}: Error & {code?: string}): void => {
		warnings.push(String(code));
	};

	process.on('warning', hear);
	t.teardown(() => process.off('warning', hear));
	const make = (separatedFile: boolean): KeyvFile => new KeyvFile({filename: `${processFolder()}/cache`, separatedFile});
	t.truthy(new KeyvStore(make(true), options));
	for (const storage of [make(false), new Keyv({store: make(false)}), new Keyv5({store: make(false)})]) {
		t.truthy(new KeyvStore(storage, options));
	}

	await new Promise(resolve => {
		setImmediate(resolve);
	});
	t.deepEqual(warnings, ['GOT_CACHE_KEYV_FILE']);
});

if ('command' in mongo) {
	test.serial('@keyv/mongo, useGridFS: a key has one revision however often it is written, and none after it was deleted', async t => {
		await using server = await ServerProcess.start(mongo.command);
		for (const [index, wrap] of [(adapter: KeyvMongo) => adapter, (adapter: KeyvMongo) => new Keyv({store: adapter}), (adapter: KeyvMongo) => new Keyv5({store: adapter})].entries()) {
			const adapter = new KeyvMongo({url: `mongodb://127.0.0.1:${server.port}/`, collection: `c${index}`, useGridFS: true});
			const store = new KeyvStore(wrap(adapter), options);
			await Promise.all(['one', 'two', 'three'].map(async text => store.set('key', text, kept)));
			await store.set('key', 'four', kept);
			const files = (await adapter.connect).store as unknown as {countDocuments(): Promise<number>};
			t.is(await files.countDocuments(), 1);
			t.is(await store.get('key'), 'four');
			t.true(await store.delete('key'));
			t.is(await files.countDocuments(), 0);
			await adapter.disconnect();
		}
	});

	test.serial('@keyv/mongo: an adapter that could not connect causes a warning', async t => {
		await using server = await ServerProcess.start(mongo.command);
		await server.stop();
		const warned = once(process, 'warning') as Promise<[Error & {code?: string}]>;
		t.truthy(new KeyvStore(new KeyvMongo({url: `mongodb://127.0.0.1:${server.port}/`, serverSelectionTimeoutMS: 100}), options));
		const [{code}] = await warned;
		t.is(code, 'GOT_CACHE_KEYV_MONGO');
	});
} else {
	reportServer(test, '@keyv/mongo', undefined, mongo.missing);
}

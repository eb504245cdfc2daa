import {join} from 'node:path';
import test from 'ava';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {asKeyvAdapter} from '../../source/stores/keyv-adapter.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import {testKeyvAdapter} from '../helpers/keyv-test-suite.ts';
import {processFolder} from '../helpers/temporary-folder.ts';

const folder = processFolder();
const stores = {
	'Keyv 6 on sqlite': [Keyv, new SqliteStore({path: join(folder, '6.sqlite')})],
	'Keyv 5 on sqlite': [Keyv5, new SqliteStore({path: join(folder, '5.sqlite')})],
	'Keyv 6 on filesystem': [Keyv, new FilesystemStore({path: join(folder, '6')})],
	'Keyv 5 on filesystem': [Keyv5, new FilesystemStore({path: join(folder, '5')})],
} as const;

for (const [name, [keyvClass, store]] of Object.entries(stores)) {
	testKeyvAdapter(test, name, keyvClass, {store: () => asKeyvAdapter(store)});
}

test.after.always(async () => {
	for (const [, store] of Object.values(stores)) {
		await store.close();
	}
});

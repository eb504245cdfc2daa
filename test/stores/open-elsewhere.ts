import {join} from 'node:path';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import type {Store} from '../../source/stores/types.ts';

/** Opens, in another process, what the contract's tests have opened in theirs. */
export function open(namespace: string, store: string, folder: string): Store {
	return store === 'sqlite'
		? new SqliteStore({path: join(folder, `${namespace}.sqlite`)})
		: new FilesystemStore({path: join(folder, namespace)});
}

import {Buffer} from 'node:buffer';
import process from 'node:process';
import type {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import type {SqliteStore} from '../../source/stores/sqlite/store.ts';

/** Writes values that can be checked for being whole, and prints the keys that are acknowledged. The tests kill it at any moment. */
const [name, path] = process.argv.slice(2) as [string, string];

/** Imports only the modules of the store, since it is started hundreds of times. */
async function open(): Promise<SqliteStore | FilesystemStore> {
	if (name === 'sqlite') {
		const sqlite = await import('../../source/stores/sqlite/store.ts');
		return new sqlite.SqliteStore({path});
	}

	const filesystem = await import('../../source/stores/filesystem/store.ts');
	return new filesystem.FilesystemStore({path});
}

const writer = await open();
process.send!('ready');
for (let round = 0; ; round++) {
	for (let index = 0; index < 20; index++) {
		const size = index === 0 ? 1_500_000 : 20_000;
		const key = `acknowledged-${process.pid}-${round}-${index}`;
		await Promise.all([
			writer.set(`key-${index}`, Buffer.alloc(size, round % 256), {expires: undefined}),
			writer.set(key, Buffer.from(key), {expires: undefined}),
		]);
		console.log(key);
	}
}

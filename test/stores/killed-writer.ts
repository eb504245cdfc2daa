import {Buffer} from 'node:buffer';
import process from 'node:process';
import type {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import type {SqliteStore} from '../../source/stores/sqlite/store.ts';

/** Started by the tests, and killed by them at any moment: writes values that say of themselves whether they are whole, and prints the keys that are acknowledged. */
const [name, path] = process.argv.slice(2) as [string, string];

/** Of all modules only those of the store: it is started hundreds of times. */
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

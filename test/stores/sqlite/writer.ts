import {Buffer} from 'node:buffer';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {SqliteStore} from '../../../source/stores/sqlite/store.ts';

/** Waits for the start time, and then writes and reads a new file. The tests start several at once. */
const [path, name, startTime, wal] = process.argv.slice(2) as [string, string, string, string];
const store = new SqliteStore({path, wal: wal === 'true', busyTimeout: 240_000});
// Not in a loop all the time, which would keep the others from starting.
await delay(Math.max(0, Number(startTime) - Date.now() - 10));
while (Date.now() < Number(startTime)) {
	// All begin in the same millisecond.
}

let foreign = 0;
for (let index = 0; index < 100; index += 1) {
	await store.set(`${name} ${index}`, Buffer.from(`${name} ${index}`), {expires: undefined});
	await store.set('shared', Buffer.alloc(50_000, name), {expires: undefined});
	const shared = (await store.get('shared'))!;
	if (shared.length !== 50_000 || shared.some(byte => byte !== shared[0])) {
		throw new Error('A torn value');
	}

	foreign += shared[0] === name.codePointAt(0) ? 0 : 1;
}

await store.deleteMany([`${name} 0`, `${name} 1`]);
await store.close();
console.log(foreign);

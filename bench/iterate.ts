/**
What it takes to go through 100,000 entries, and to delete the expired half of them, on SQLite and in memory: milliseconds, and the greatest resident memory of a process that does nothing else.

Run it with `node bench/iterate.ts`.
*/
import {spawnSync} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {HttpCache} from '../source/index.ts';
import {MemoryStore} from '../source/stores/memory.ts';

const entries = 100_000;
const size = 1024;
const [task, folder] = process.argv.slice(2);

async function measure(name: string, run: () => Promise<unknown>): Promise<void> {
	const start = performance.now();
	const result = await run();
	const milliseconds = Math.round(performance.now() - start);
	console.log(`${name.padEnd(34)} ${String(milliseconds).padStart(7)} ms  ${String(result).padStart(7)} entries  ${Math.round(process.resourceUsage().maxRSS / 1024)} MB peak RSS`);
}

async function fill(cache: HttpCache, count: number): Promise<number> {
	const body = new Uint8Array(size).fill(97);
	for (let index = 0; index < count; index++) {
		await cache.save({url: `https://example.com/${index}`}, {body}, {expireAfter: index % 2 === 0 ? 0 : 3600});
	}

	return count;
}

async function list(cache: HttpCache): Promise<number> {
	let count = 0;
	for await (const response of cache.responses()) {
		count += response.size === size ? 1 : 0;
	}

	return count;
}

if (task === undefined) {
	const temporary = await mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-bench-'));
	for (const name of ['nothing', 'fill', 'list', 'list a tenth', 'count expired', 'delete expired', 'memory']) {
		// A process for each, so that none has the memory of another.
		spawnSync(process.execPath, [fileURLToPath(import.meta.url), name, temporary], {stdio: 'inherit'});
	}

	await rm(temporary, {recursive: true});
} else {
	const onDisk = new HttpCache({store: 'sqlite', cacheName: path.join(folder!, 'bench')});
	const inMemory = new HttpCache({store: new MemoryStore({maxEntries: entries, maxBytes: 2 ** 30})});
	const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
		nothing: async () => 0,
		async fill() {
			await fill(new HttpCache({store: 'sqlite', cacheName: path.join(folder!, 'tenth')}), entries / 10);
			return fill(onDisk, entries);
		},
		list: async () => list(onDisk),
		'list a tenth': async () => list(new HttpCache({store: 'sqlite', cacheName: path.join(folder!, 'tenth')})),
		'count expired': async () => onDisk.count({expired: true}),
		'delete expired': async () => onDisk.delete({expired: true}),
		async memory() {
			await fill(inMemory, entries);
			await measure('memory: list', async () => list(inMemory));
			await measure('memory: delete expired', async () => inMemory.delete({expired: true}));
			return inMemory.count();
		},
	};
	await measure(`sqlite: ${task}`.replace('sqlite: memory', 'memory: fill, list, delete'), tasks[task]!);
}

import {Buffer} from 'node:buffer';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {createStore} from '../../source/index.ts';
import {seed} from '../helpers/seed.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

const rounds = Number(process.env.KILL_ROUNDS ?? 20);

for (const name of ['sqlite', 'filesystem'] as const) {
	test(`${name}: ${rounds} writers that are killed at any moment leave only whole entries, and all acknowledged ones`, async t => {
		t.timeout(rounds * 5000);
		const folder = testFolder(t);
		const path = join(folder, 'cache');
		let state = seed;
		t.log(`seed ${seed}`);
		let found = 0;
		let acknowledged = 0;
		for (let round = 0; round < rounds; round++) {
			state = (state * 16_807) % 2_147_483_647;
			const child = fork(new URL('killed-writer.ts', import.meta.url), [name, path], {execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'pipe', 'inherit', 'ipc']});
			const printed = Array.fromAsync(child.stdout! as AsyncIterable<Uint8Array>);
			t.is(await Promise.race([once(child, 'message').then(([message]) => String(message)), once(child, 'exit').then(() => 'ended')]), 'ready');
			await pause(state % 60);
			const ended = once(child, 'exit');
			child.kill('SIGKILL');
			t.is((await ended)[1], 'SIGKILL');

			const store = createStore(name, {path});
			for (let index = 0; index < 20; index++) {
				const value = await store.get(`key-${index}`);
				found += value === undefined ? 0 : 1;
				const isWhole = value?.byteLength === (index === 0 ? 1_500_000 : 20_000) && value.every(byte => byte === value[0]);
				t.true(value === undefined || isWhole, `a torn value after round ${round}`);
			}

			// The last line may be cut.
			const keys = Buffer.concat(await printed).toString().split('\n').slice(0, -1);
			acknowledged += keys.length;
			for (const key of keys) {
				t.is(Buffer.from(await store.get(key) ?? []).toString(), key, `lost after round ${round}`);
			}

			await store.set('after', new Uint8Array(1), {expires: undefined});
			t.truthy(await store.get('after'));
			await store.close();
		}

		t.true(found > rounds);
		t.true(acknowledged > rounds, `${acknowledged} were acknowledged`);
	});
}

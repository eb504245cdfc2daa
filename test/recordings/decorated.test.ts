import test from 'ava';
import {cached, HttpCache} from '../../source/index.ts';
import {record} from './helpers.ts';

test('the results of decorated functions are recorded and replayed', async t => {
	const {folder, files} = await record(t);
	let calls = 0;
	const make = (mode: 'record' | 'replay') => {
		const cache = new HttpCache({store: 'filesystem', cacheName: folder, mode});
		return {
			cache, load: cached(async (id: number) => {
				calls++;
				return {id, name: 'Ada', calls};
			}, undefined, {cache, result: true, name: 'load'}),
		};
	};

	const recorder = make('record');
	t.deepEqual(await recorder.load(1), {id: 1, name: 'Ada', calls: 1});
	await recorder.cache.idle();
	t.regex(Object.entries(files()).flat().join(' '), /^CALL-load-[\da-f]{12}\.json .*"value": \{\s*"id": 1,/sv);
	const player = make('replay');
	t.deepEqual(await player.load(1), {id: 1, name: 'Ada', calls: 1});
	await t.throwsAsync(player.load(2), {code: 'ERR_NOT_RECORDED'});
	t.is(calls, 1);
});

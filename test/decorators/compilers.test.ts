import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {dialects, importIn} from './transpile.ts';

for (const tool of ['', 'swc-', 'esbuild-']) {
	for (const dialect of dialects) {
		test(`${dialect} decorators work when compiled by ${tool === '' ? 'tsc' : tool.slice(0, -1)}`, async t => {
			let count = 0;
			await using origin = await Origin.start((_request, response) => {
				count++;
				response.end(String(count));
			});
			const {run} = await importIn(`${tool}${dialect}`, 'compiled.ts') as {run: (url: string) => Promise<string[]>};

			// The third request of the client changes the counter.
			t.deepEqual(await run(origin.url), ['1', '1', '1', '2', 'a 1', 'a 1', 'client b', '4', 'a 2']);
		});
	}
}

import test from 'ava';
import {fc} from '../../helpers/fast-check.ts';
import {
	anyResponse,
	context,
	facts,
	variants,
} from './samples.ts';

for (const {name, pipeline} of variants) {
	test(`an entry is restored unchanged: ${name}`, async t => {
		await fc.assert(fc.asyncProperty(anyResponse, async stored => {
			const serialized = await pipeline.dumps(stored, context);
			t.true(pipeline.gives === 'bytes' ? serialized instanceof Uint8Array : typeof serialized === (pipeline.gives === 'text' ? 'string' : 'object'));
			t.deepEqual(facts(await pipeline.loads(serialized, context)), facts(stored));
		}), {numRuns: 25});
	});
}

import {Buffer} from 'node:buffer';
import test from 'ava';
import {fc} from '../../helpers/fast-check.ts';
import {formatNames} from '../../../source/entry/serializers/formats.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {
	anyResponse,
	context,
	facts,
	response,
	stages,
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

const bytes = Buffer.alloc(20 * 1024 * 1024, 'all work and no play \0\u{FF}', 'latin1');

for (const format of formatNames) {
	test.serial(`a body of 20 MB is restored: ${format}`, async t => {
		for (const type of ['application/octet-stream', 'text/plain; charset=iso-8859-1']) {
			const stored = response(bytes, {rawHeaders: ['Content-Type', type]});
			const pipeline = new SerializerPipeline(format === 'document' ? [format] : [format, ...stages.zstd!, ...stages.encrypted!], {decodeContent: true});
			const restored = await pipeline.loads(await pipeline.dumps(stored, context), context);
			t.is(Buffer.compare(restored.body, bytes), 0);
		}
	});
}

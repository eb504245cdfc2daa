import {Buffer} from 'node:buffer';
import test from 'ava';
import {formatNames} from '../../../source/entry/serializers/formats.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {bodyBytes} from '../../../source/entry/stored-response.ts';
import {context, response, stages} from './samples.ts';

const bytes = Buffer.alloc(20 * 1024 * 1024, 'all work and no play \0\u{FF}', 'latin1');

for (const format of formatNames) {
	test.serial(`a body of 20 MB is restored: ${format}`, async t => {
		for (const type of ['application/octet-stream', 'text/plain; charset=iso-8859-1']) {
			const stored = response(bytes, {rawHeaders: ['Content-Type', type]});
			const pipeline = new SerializerPipeline(format === 'document' ? [format] : [format, ...stages.zstd!, ...stages.encrypted!], {decodeContent: true});
			const restored = await pipeline.loads(await pipeline.dumps(stored, context), context);
			t.is(Buffer.compare(bodyBytes(restored.body), bytes), 0);
		}
	});
}

/**
What writing and reading an entry costs by each format, and how long it is: for JSON bodies of 1 KB, 20 KB and 1 MB, beside `JSON.parse` and `JSON.stringify` of the body. Medians, in microseconds.

Run it with `npm run bench:serializers`.
*/
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {Bench} from 'tinybench';
import {fromStoredValue, toStoredValue} from '../source/cache/stored-values.ts';
import {storedResponse} from '../source/entry/stored-response.ts';
import {
	compressed,
	encrypted,
	SerializerPipeline,
	signed,
	type PipelineStage,
	type Store,
} from '../source/index.ts';

const context = {key: 'http_cache:1:0123456789abcdef', maxBytes: 64 * 1024 * 1024};

type Row = readonly [name: string, stages: readonly PipelineStage[], holds: Store['valueType'], decodeContent?: boolean];

const rows: readonly Row[] = [
	['binary', ['binary'], 'bytes'],
	['binary, base64 in a text store', ['binary'], 'text'],
	['json', ['json'], 'text'],
	['json, decodeContent', ['json'], 'text', true],
	['yaml', ['yaml'], 'text'],
	['yaml, decodeContent', ['yaml'], 'text', true],
	['bson', ['bson'], 'bytes'],
	['bson, decodeContent', ['bson'], 'bytes', true],
	['v8', ['v8'], 'bytes'],
	['v8, decodeContent', ['v8'], 'bytes', true],
	['document', ['document'], 'documents'],
	['document, decodeContent', ['document'], 'documents', true],
	['binary, zstd', [compressed('zstd')], 'bytes'],
	['binary, br', [compressed('br')], 'bytes'],
	['binary, gzip', [compressed('gzip')], 'bytes'],
	['binary, signed', [signed({secret: 'secret'})], 'bytes'],
	['binary, encrypted', [encrypted({key: randomBytes(32)})], 'bytes'],
];

const sizes = {'1 KB': 1000, '20 KB': 20_000, '1 MB': 1_000_000};

/** JSON of users, as an API gives it. */
function json(size: number): string {
	const items: unknown[] = [];
	for (let length = 0, id = 0; length < size - 60; id++) {
		const item = {
			id, name: `Name ${id * 7919 % 1000}`, email: `user${id}@example.com`, score: id * 1.37, active: id % 3 === 0, tags: ['a', `t${id % 17}`], nested: {at: `2026-01-${String((id % 28) + 1).padStart(2, '0')}T10:00:00Z`, by: null},
		};
		items.push(item);
		length += JSON.stringify(item).length + 1;
	}

	return JSON.stringify({items});
}

const lengths = new Map<string, number>();
const medians = new Map<string, number>();
for (const [size, bytes] of Object.entries(sizes)) {
	const text = json(bytes);
	const body = Buffer.from(text);
	const stored = storedResponse({
		method: 'GET',
		url: 'https://api.example.com/users?page=1',
		statusCode: 200,
		statusMessage: 'OK',
		rawHeaders: ['Date', 'Thu, 01 Jan 2026 00:00:00 GMT', 'Content-Type', 'application/json; charset=utf-8', 'ETag', '"33a64df551425fcc55e4d42a148795d9f25f89d4"', 'Cache-Control', 'max-age=60', 'Server', 'nginx', 'Vary', 'Accept-Encoding'],
		createdAt: 1_767_225_600_000,
		initialAge: 12,
		expires: 1_767_225_660_000,
		retainUntil: 1_767_229_260_000,
		decidedBy: 'origin',
		generation: '6f3b4c1e-7d2a-4f0e-9b8a-1c2d3e4f5a6b',
	}, body);
	const bench = new Bench({
		time: 100, iterations: 8, warmupTime: 20, warmupIterations: 3,
	});
	for (const [name, stages, holds, decodeContent] of rows) {
		const pipeline = new SerializerPipeline(stages, {decodeContent});
		const value = toStoredValue(await pipeline.dumps(stored, context), holds);
		const isText = typeof value === 'string';
		lengths.set(`${name} ${size}`, isText || value instanceof Uint8Array ? Buffer.byteLength(value) : NaN);
		// What is synchronous is measured as it is.
		const isLater = pipeline.dumps(stored, context) instanceof Promise || pipeline.loads(fromStoredValue(value, pipeline.gives), context) instanceof Promise;
		const encode = () => pipeline.dumps(stored, context);
		const decode = () => pipeline.loads(fromStoredValue(value, pipeline.gives), context);
		bench
			.add(`${name} encode`, isLater
				? async () => {
					toStoredValue(await encode(), holds);
				}
				: () => {
					toStoredValue(encode() as Uint8Array, holds);
				}, {async: isLater})
			.add(`${name} decode`, isLater
				? async () => {
					await decode();
				}
				: () => {
					void decode();
				}, {async: isLater});
	}

	const parsed: unknown = JSON.parse(text);
	lengths.set(`the body alone ${size}`, body.byteLength);
	bench
		.add('the body alone encode', () => {
			JSON.stringify(parsed);
		})
		.add('the body alone decode', () => {
			JSON.parse(body.toString());
		});
	await bench.run();
	for (const {name, result} of bench.tasks) {
		medians.set(`${name} ${size}`, 'latency' in result ? result.latency.p50 * 1000 : NaN);
	}
}

const columns = Object.keys(sizes);
const number = (value: number | undefined): string => value === undefined || Number.isNaN(value) ? '–' : value.toLocaleString('en', {maximumFractionDigits: value < 10 ? 1 : 0});

console.log(`| µs, bytes | ${columns.flatMap(size => [`encode ${size}`, `decode ${size}`, `length ${size}`]).join(' | ')} |`);
console.log(`|---|${'---|'.repeat(columns.length * 3)}`);
for (const name of ['the body alone', ...rows.map(([title]) => title)]) {
	console.log(`| ${name} | ${columns.flatMap(size => [medians.get(`${name} encode ${size}`), medians.get(`${name} decode ${size}`), lengths.get(`${name} ${size}`)]).map(value => number(value)).join(' | ')} |`);
}

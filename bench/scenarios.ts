import type {Goal, Measure, Scenario} from './types.ts';

const goal = (subject: string, against: string, atMost: number, by: Measure = 'p50'): Goal => ({
	subject, against, by, atMost,
});

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
const got = ['canned Got', 'plain Got', 'Got with its own cache', 'Got with its own cache, its leak mended'];
const ours = ['ours, memory', 'ours, memory, RFC 9111', 'ours, SQLite', 'ours, Redis'];
const peers = [
	'undici fetch, memory',
	'undici request, memory',
	'undici request, SQLite',
	'axios-cache-interceptor',
	'axios-cache-interceptor with copies',
	'node-fetch-cache',
	'make-fetch-happen',
	'requests-cache, memory',
	'requests-cache, SQLite',
];
/** Those that may be the quickest, where it is not about all. */
const quickest = ['canned Got', 'ours, memory', 'ours, SQLite', 'undici fetch, memory', 'undici request, memory', 'axios-cache-interceptor', 'axios-cache-interceptor with copies'];

/** What the readme's table and chart of hits are of. */
export const hit: Scenario = {
	title: 'hit, 1 KB as JSON',
	subjects: [...got, ...ours, ...peers],
	goals: [
		goal('ours, memory', 'canned Got', 1.2),
		goal('ours, memory', 'undici fetch, memory', 0.8),
		goal('ours, memory', 'undici fetch, memory', 0.8, 'mean'),
		goal('ours, memory', 'axios-cache-interceptor', 0.9),
		goal('ours, SQLite', 'canned Got', 0.9),
		goal('ours, SQLite', 'undici request, SQLite', 0.9),
	],
};

const sizes = {'1 KB': kilobyte, '20 KB': 20 * kilobyte, '1 MB': megabyte};

const bodies: readonly Scenario[] = Object.entries(sizes).flatMap(([size, bytes]) => (['JSON', 'text', 'buffer'] as const).map((read): Scenario => ({
	title: `hit, ${size} as ${read}`,
	subjects: quickest,
	place: {bytes, read: read === 'JSON' ? 'json' : read},
	...(size === '1 MB' && read === 'buffer' && {goals: [goal('ours, memory', 'canned Got', 1.5), goal('ours, SQLite', 'canned Got', 4)]}),
}))).filter(({title}) => title !== hit.title);

const concurrent: readonly Scenario[] = [16, 64].map(concurrency => ({
	title: `hit, 1 KB as JSON, ${concurrency} at once`,
	subjects: quickest,
	concurrency,
}));

const stream100 = {bytes: 100 * megabyte};

/** All that is measured, with what is to be reached. */
export const scenarios: readonly Scenario[] = [
	hit,
	...bodies,
	...concurrent,
	{
		title: 'hit, 1 KB as a stream',
		subjects: ['canned Got', 'ours, memory', 'ours, SQLite'],
		place: {read: 'stream'},
		goals: [goal('ours, memory', 'canned Got', 1.2)],
	},
	{
		title: 'raw reads of 1 KB',
		subjects: ['Map, get', 'our memory store, get', 'SQLite, a select by its driver', 'our SQLite store, get', 'Redis, GET by its driver', 'our Redis store, get', 'createKey of a plain GET'],
	},
	{
		title: 'miss, 1 KB as JSON',
		subjects: ['plain Got, each its own', 'ours, memory, miss', 'ours, SQLite, miss'],
		blocks: 4,
		goals: [goal('ours, memory, miss', 'plain Got, each its own', 1.05), goal('ours, SQLite, miss', 'plain Got, each its own', 1.1)],
	},
	{
		title: 'revalidation (304), 1 KB as JSON',
		subjects: ['plain Got, always the same tag', 'ours, revalidation'],
		blocks: 4,
		goals: [goal('ours, revalidation', 'plain Got, always the same tag', 1.1)],
	},
	{
		title: 'stampede of 50 on what is not cached',
		subjects: ['plain Got, 50 at once', 'ours, stampede of 50'],
	},
	{
		title: 'hit among 100,000 entries',
		subjects: ['ours, random of 100', 'ours, random of many', 'ours, hot of 100', 'ours, hot of many'],
		place: {entries: 100_000},
		goals: [goal('ours, random of many', 'ours, random of 100', 1.5), goal('ours, hot of many', 'ours, hot of 100', 1.15)],
	},
	{
		title: 'memory of 20,000 entries of 1 KB',
		subjects: ['the body itself', 'bodies in a Map', 'entries of ours, memory', 'entries of undici, memory'],
		place: {entries: 20_000},
		mostRounds: 3,
		goals: [goal('entries of ours, memory', 'the body itself', 2.2, 'heap')],
	},
	{
		title: 'start of a process',
		subjects: ['importing Got', 'importing Got and ours, memory', 'importing Got and ours, SQLite, a decorated class'],
		blocks: 2,
		goals: (['p50', 'cpu'] as const).flatMap(by => [
			goal('importing Got and ours, memory', 'importing Got', 1.15, by),
			goal('importing Got and ours, SQLite, a decorated class', 'importing Got', 1.35, by),
		]),
	},
	{
		title: '100 MB as a stream, a miss, its first byte',
		subjects: ['plain Got, first byte', 'ours, first byte of what is too large', 'ours, first byte of what is kept'],
		place: stream100,
		goals: ['ours, first byte of what is too large', 'ours, first byte of what is kept'].map(subject => goal(subject, 'plain Got, first byte', 1.2)),
	},
	{
		title: '100 MB as a stream, a miss, all of it',
		subjects: ['plain Got, stream', 'ours, stream that is too large', 'ours, stream that is kept'],
		place: stream100,
		goals: ['ours, stream that is too large', 'ours, stream that is kept'].map(subject => goal(subject, 'plain Got, stream', 1.5)),
	},
];

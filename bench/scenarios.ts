import type {Goal, Measure, Scenario} from './types.ts';

const goal = (subject: string, against: string, [atMost, accepted]: readonly [atMost: number, accepted: number], by: Measure = 'p50'): Goal => ({
	subject, against, by, atMost, accepted,
});

/** The same goal for the time and for the CPU time. */
const goals = (...given: Parameters<typeof goal>): readonly Goal[] => [goal(...given), goal(given[0], given[1], given[2], 'cpu')];

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
const got = ['canned Got', 'plain Got', 'Got with its own cache', 'Got with its own cache, its leak mended'];
const ours = ['ours, memory', 'ours, memory, createCachedGot', 'ours, memory, RFC 9111', 'ours, SQLite', 'ours, Redis'];
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
		...goals('ours, memory', 'canned Got', [1, 1.1]),
		...goals('ours, memory, createCachedGot', 'canned Got', [0.25, 0.45]),
		goal('ours, memory, createCachedGot', 'axios-cache-interceptor', [0.6, 0.8]),
	],
};

const sizes = {'1 KB': kilobyte, '20 KB': 20 * kilobyte, '1 MB': megabyte};

const bodies: readonly Scenario[] = Object.entries(sizes).flatMap(([size, bytes]) => (['JSON', 'text', 'buffer'] as const).map((read): Scenario => ({
	title: `hit, ${size} as ${read}`,
	subjects: quickest,
	place: {bytes, read: read === 'JSON' ? 'json' : read},
}))).filter(({title}) => title !== hit.title);

const concurrent: readonly Scenario[] = [16, 64].map(concurrency => ({
	title: `hit, 1 KB as JSON, ${concurrency} at once`,
	subjects: quickest,
	concurrency,
}));

const plain = 'plain Got, each its own';
const misses = [...goals('ours, memory, miss', plain, [1.15, 1.25]), ...goals('ours, SQLite, miss', plain, [1.3, 1.6])];
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
		goals: goals('ours, memory', 'canned Got', [1.1, 1.25]),
	},
	{
		title: 'hit on Redis, 1 KB as JSON',
		subjects: ['canned Got after a GET by the driver of Redis', 'ours, Redis'],
		goals: goals('ours, Redis', 'canned Got after a GET by the driver of Redis', [1.1, 1.25]),
	},
	{
		title: 'disabled, 1 KB as JSON',
		subjects: [plain, 'ours, disabled'],
		blocks: 4,
		goals: goals('ours, disabled', plain, [1, 1.03]),
	},
	{
		title: 'raw reads of 1 KB',
		subjects: ['Map, get', 'our memory store, get', 'SQLite, a select by its driver', 'our SQLite store, get', 'Redis, GET by its driver', 'our Redis store, get', 'createKey of a plain GET'],
	},
	{
		title: 'miss, 10 KB as JSON',
		subjects: [plain, 'ours, memory, miss', 'ours, SQLite, miss'],
		place: {bytes: 10 * kilobyte},
		blocks: 4,
		goals: misses,
	},
	{
		title: 'miss, 10 KB as JSON, 64 at once',
		subjects: [plain, 'ours, memory, miss', 'ours, SQLite, miss', 'ours, filesystem, miss', 'ours, Redis, miss'],
		place: {bytes: 10 * kilobyte},
		concurrency: 64,
		blocks: 4,
		goals: misses,
	},
	{
		title: 'hit, 10 KB as JSON, 64 at once on each store',
		subjects: ['canned Got', 'ours, memory', 'ours, SQLite', 'ours, filesystem', 'ours, Redis'],
		place: {bytes: 10 * kilobyte},
		concurrency: 64,
	},
	{
		title: 'revalidation (304), 1 KB as JSON',
		subjects: ['plain Got, always the same tag', 'ours, revalidation'],
		blocks: 4,
		goals: goals('ours, revalidation', 'plain Got, always the same tag', [1.15, 1.25]),
	},
	{
		title: 'stampede of 50 on what is not cached',
		subjects: ['plain Got, 50 at once', 'ours, stampede of 50'],
	},
	{
		title: 'hit among 100,000 entries',
		subjects: ['ours, random of 100', 'ours, random of many', 'ours, hot of 100', 'ours, hot of many'],
		place: {entries: 100_000},
		goals: [goal('ours, random of many', 'ours, random of 100', [1.2, 1.35]), goal('ours, hot of many', 'ours, hot of 100', [1, 1.05])],
	},
	{
		title: 'memory of 20,000 entries of 1 KB',
		subjects: ['the body itself', 'bodies in a Map', 'entries of ours, memory', 'entries of undici, memory'],
		place: {entries: 20_000},
		mostRounds: 3,
		goals: [goal('entries of ours, memory', 'the body itself', [1.8, 2.1], 'heap')],
	},
	{
		title: 'start of a process',
		subjects: ['importing Got', 'importing Got and ours, memory', 'importing Got and ours, SQLite, a decorated class'],
		blocks: 2,
		goals: [
			...goals('importing Got and ours, memory', 'importing Got', [1.15, 1.3]),
			...goals('importing Got and ours, SQLite, a decorated class', 'importing Got', [1.35, 1.5]),
		],
	},
	{
		title: '100 MB as a stream, a miss, its first byte',
		subjects: ['plain Got, first byte', 'ours, first byte of what is too large', 'ours, first byte of what is kept'],
		place: stream100,
	},
	{
		title: '100 MB as a stream, a miss, all of it',
		subjects: ['plain Got, stream', 'ours, stream that is too large', 'ours, stream that is kept'],
		place: stream100,
		goals: goals('ours, stream that is kept', 'plain Got, stream', [1.3, 1.5]),
	},
	{
		title: '100 MB as a stream, the memory of a miss',
		subjects: ['the body itself, in memory', 'ours, stream that is kept, over plain Got'],
		place: stream100,
		mostRounds: 1,
		goals: [goal('ours, stream that is kept, over plain Got', 'the body itself, in memory', [2.1, 2.1], 'peak')],
	},
];

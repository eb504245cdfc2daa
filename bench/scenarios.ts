import type {Goal, Scenario} from './types.ts';

const goal = (subject: string, against: string, atMost: number, by: Goal['by'] = 'p50'): Goal => ({
	subject, against, by, atMost,
});

const kilobyte = 1024;
const peers = ['Got with its own cache', 'undici fetch, memory', 'undici request, memory', 'undici request, SQLite', 'axios-cache-interceptor', 'axios-cache-interceptor with copies', 'node-fetch-cache', 'make-fetch-happen'];
const ours = ['ours, memory', 'ours, memory, ordinary lane', 'ours, memory, RFC 9111', 'ours, SQLite'];

const hit: Scenario = {
	title: 'hit, 1 KB as JSON',
	subjects: ['canned Got', 'plain Got', ...ours, ...peers],
	goals: [
		goal('ours, memory', 'canned Got', 0.6),
		goal('ours, memory, ordinary lane', 'canned Got', 1.1),
		goal('ours, memory', 'undici fetch, memory', 0.8),
		goal('ours, memory', 'undici fetch, memory', 0.8, 'mean'),
		goal('ours, memory', 'axios-cache-interceptor', 0.9),
		goal('ours, SQLite', 'canned Got', 0.9),
		goal('ours, SQLite', 'undici request, SQLite', 0.9),
	],
};

const bodies: readonly Scenario[] = [20, 1024].flatMap(size => (['json', 'text', 'buffer'] as const).map((read): Scenario => ({
	title: `hit, ${size} KB as ${read}`,
	subjects: ['canned Got', ...ours.slice(0, 1), 'ours, SQLite', 'undici fetch, memory', 'axios-cache-interceptor'],
	place: {bytes: size * kilobyte, read},
	...(size === 1024 && read === 'buffer' && {goals: [goal('ours, memory', 'canned Got', 1.5), goal('ours, SQLite', 'canned Got', 4)]}),
})));

const concurrent: readonly Scenario[] = [16, 64].map(concurrency => ({
	title: `hit, ${concurrency} at once`,
	subjects: ['canned Got', 'ours, memory', 'ours, SQLite', 'undici fetch, memory', 'axios-cache-interceptor'],
	concurrency,
}));

/** All that is measured, with what is to be reached. */
export const scenarios: readonly Scenario[] = [
	hit,
	...bodies,
	...concurrent,
	{
		title: 'hit as a stream',
		subjects: ['canned Got', 'ours, memory'],
		place: {read: 'stream'},
		goals: [goal('ours, memory', 'canned Got', 1.2)],
	},
	{
		title: 'miss, 1 KB',
		subjects: ['plain Got, each its own', 'ours, memory, miss', 'ours, SQLite, miss'],
		goals: [goal('ours, memory, miss', 'plain Got, each its own', 1.05), goal('ours, SQLite, miss', 'plain Got, each its own', 1.1)],
	},
	{
		title: 'revalidation (304)',
		subjects: ['plain Got, always the same tag', 'ours, revalidation'],
		goals: [goal('ours, revalidation', 'plain Got, always the same tag', 1.1)],
	},
	{
		title: 'the key of a request',
		subjects: ['createKey of a plain GET'],
	},
	{
		title: 'stampede of 50',
		subjects: ['plain Got', 'ours, stampede'],
	},
	...[100, 100_000].map((entries): Scenario => ({
		title: `hit among ${entries} entries`,
		subjects: ['ours, random entry', 'ours, hot entry'],
		place: {entries},
	})),
	{
		title: '100 MB as a stream, first byte',
		subjects: ['plain Got, first byte', 'ours, first byte'],
		place: {bytes: 100 * kilobyte * kilobyte},
		goals: [goal('ours, first byte', 'plain Got, first byte', 1.2)],
	},
	{
		title: '100 MB as a stream, all of it',
		subjects: ['plain Got, stream', 'ours, stream'],
		place: {bytes: 100 * kilobyte * kilobyte},
		goals: [goal('ours, stream', 'plain Got, stream', 1.5)],
	},
];

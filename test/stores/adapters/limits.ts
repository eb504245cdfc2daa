import type {KnownLimit} from '../contract.ts';
import type {ShapeName, SubjectName} from './subjects.ts';

type Row = Omit<KnownLimit, 'test'> & {
	readonly tests: readonly string[];

	/** The shapes that have the limit. Default: all. */
	readonly shapes?: readonly ShapeName[];
};

const wholeValues = 'empty values, values that look like markup and values of 20 MB come back whole';

/**
The known limits of the adapters, each with the tests that must fail because of it.
*/
const rows: Readonly<Partial<Record<SubjectName, readonly Row[]>>> = {
	'keyv-file, separatedFile': [
		{
			tests: ['keys of any characters stay apart'],
			because: 'a key is the name of a file, which has at most 255 bytes, and an entry with a longer key is not stored',
			shows: /'value of|undefined/v,
		},
	],
	'@keyv/mongo': [
		{
			tests: [wholeValues],
			because: 'a document of MongoDB has at most 16 MB',
			shows: /out of range/v,
		},
	],
	'@keyv/memcache': [
		{
			tests: [
				'a second value replaces the first',
				'many keys are deleted at once, absent and repeated ones and none included',
				'iterating lists every entry once, also many',
				'iterating while deleting what was met skips nothing and meets nothing twice',
				'iterating while overwriting meets nothing twice, and may be left early',
				'clearing leaves other namespaces alone',
				'100 writers to one key leave one whole value',
				'a second process reads what this one writes, and this one what that one writes and deletes',
				'entries are there after closing and opening again',
				'responses are listed and counted',
				'deleting invalid responses does not delete the keys of the application',
			],
			because: 'Memcached cannot list its keys',
			shows: /cannot list its keys|not be listed/v,
		},
		{
			tests: ['keys of any characters stay apart'],
			because: 'a key of Memcached has at most 250 bytes, and neither spaces nor control characters',
			shows: /./v,
		},
		{
			tests: [wholeValues, '5 MB come back'],
			because: 'Memcached accepts at most 1 MB unless `-I` raises the limit',
			shows: /too large/v,
		},
	],
};

export function limitsFor(name: SubjectName, shape: ShapeName): readonly KnownLimit[] {
	return (rows[name] ?? [])
		.filter(row => row.shapes?.includes(shape) ?? true)
		.flatMap(({tests, because, shows}) => tests.map(test => ({test, because, shows})));
}

type Refusal = Omit<KnownLimit, 'test'>;

/**
The shapes in which an adapter cannot be used at all.
*/
const refusals: Readonly<Partial<Record<SubjectName, Readonly<Partial<Record<ShapeName, Refusal>>>>>> = {
	'@keyv/sqlite 6': {
		'in a Keyv 5': {because: 'it has no `opts`, which Keyv 5 requires', shows: /reading 'includes'/v},
	},
};

export function refusalOf(name: SubjectName, shape: ShapeName): Refusal | undefined {
	return refusals[name]?.[shape];
}

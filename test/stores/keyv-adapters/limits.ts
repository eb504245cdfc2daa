import type {KnownLimit} from '../contract.ts';
import type {ShapeName, SubjectName} from './subjects.ts';

type Row = KnownLimit & {
	/** Where it is not in every shape. */
	readonly shapes?: readonly ShapeName[];
};

/**
What the adapters cannot do: each row is a test that fails, and says so when it passes.
*/
const rows: Readonly<Partial<Record<SubjectName, readonly Row[]>>> = {};

export function limitsFor(name: SubjectName, shape: ShapeName): readonly KnownLimit[] {
	return (rows[name] ?? []).filter(row => row.shapes?.includes(shape) ?? true);
}

type Refusal = Omit<KnownLimit, 'test'>;

/**
The shapes that an adapter cannot be put in at all.
*/
const refusals: Readonly<Partial<Record<SubjectName, Readonly<Partial<Record<ShapeName, Refusal>>>>>> = {
	'@keyv/sqlite 6': {
		'in a Keyv 5': {because: 'it has no `opts`, which Keyv 5 asks for its dialect', shows: /dialect/v},
	},
};

export function refusalOf(name: SubjectName, shape: ShapeName): Refusal | undefined {
	return refusals[name]?.[shape];
}

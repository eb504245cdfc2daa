import {classifyName, DEFAULT_IGNORED_PARAMETERS} from './credentials.ts';

/**
A name in any letter case, a `RegExp` that is searched in names, or a JSON path such as `$.user.token`, `$.items[*].id` or `$['a b'][0]` for a field of a JSON body.
*/
export type IgnoredParameter = string | RegExp;

type Step = string | number | typeof anyMember;

const anyMember: unique symbol = Symbol('*');

/** `ignoredParameters`, understood. */
export type Ignored = {
	/** In lower case. */
	readonly names: ReadonlySet<string>;
	readonly patterns: readonly RegExp[];

	/** The same for header names, which have no letter case. */
	readonly headerPatterns: readonly RegExp[];
	readonly paths: ReadonlyArray<readonly Step[]>;
};

/**
What is ignored, in the form that is asked.

@returns The index of the first item that is neither a name, a `RegExp` nor a JSON path, if there is one.
*/
export function compileIgnored(parameters: Iterable<unknown>): Ignored | number {
	const names = new Set<string>();
	const patterns: RegExp[] = [];
	const paths: Array<readonly Step[]> = [];
	for (const [index, parameter] of [...parameters].entries()) {
		if (parameter instanceof RegExp) {
			patterns.push(new RegExp(parameter.source, parameter.flags.replaceAll(/[gy]/gv, '')));
			continue;
		}

		if (typeof parameter !== 'string' || parameter === '') {
			return index;
		}

		if (!/^\$[.\[]/v.test(parameter)) {
			names.add(parameter.toLowerCase());
			continue;
		}

		const path = parsePath(parameter);
		if (path === undefined) {
			return index;
		}

		paths.push(path);
	}

	return Object.freeze({
		names,
		patterns: Object.freeze(patterns),
		headerPatterns: Object.freeze(patterns.map(({source, flags}) => new RegExp(source, flags.includes('i') ? flags : `${flags}i`))),
		paths: Object.freeze(paths),
	});
}

export const ignoredByDefault: Ignored = compileIgnored(DEFAULT_IGNORED_PARAMETERS) as Ignored;

/** Whether a parameter of a query, a form or a JSON body is ignored by its name. */
export function ignoresName({names, patterns}: Ignored, name: string): boolean {
	return names.has(name.toLowerCase()) || patterns.some(pattern => pattern.test(name));
}

/** Whether a header is ignored; its name is in lower case. */
export function ignoresHeader({names, headerPatterns}: Ignored, name: string): boolean {
	return names.has(name) || headerPatterns.some(pattern => pattern.test(name));
}

/** Whether a header tells who asks. Where a user ignores a name that may be a credential's or not, the user is right. */
export function tellsWhoAsks(ignored: Ignored, name: string): boolean {
	const kind = classifyName(name);
	return kind === 'secret' || (kind === 'ambiguous' && !ignoresHeader(ignored, name));
}

/** Whether a field of a JSON body is ignored by where it stands. */
export function ignoresPath({paths}: Ignored, path: ReadonlyArray<string | number>): boolean {
	return paths.some(steps => steps.length === path.length && steps.every((step, index) => step === anyMember || step === path[index]));
}

/** Whether the value of a parameter is replaced in what is stored and shown. */
export function isRedacted(ignored: Ignored, name: string): boolean {
	return ignoresName(ignored, name) || classifyName(name) !== 'plain';
}

/** What stands in the place of a value that is not stored. */
export const REDACTED = 'REDACTED';

const step = /\.(?<name>[^\s"'.\[\]]+)|\[(?:(?<index>\d+)|(?<any>\*)|'(?<single>[^']*)'|"(?<double>[^"]*)")\]/vy;

function parsePath(text: string): readonly Step[] | undefined {
	const steps: Step[] = [];
	step.lastIndex = 1;
	while (step.lastIndex < text.length) {
		const groups = step.exec(text)?.groups;
		if (groups === undefined) {
			return undefined;
		}

		const {name, index, any} = groups;
		if (any !== undefined || name === '*') {
			steps.push(anyMember);
		} else {
			steps.push(index === undefined ? (name ?? groups.single ?? groups.double)! : Number(index));
		}
	}

	return Object.freeze(steps);
}

import esX from 'eslint-plugin-es-x';
import type {FlatXoConfig} from 'xo';

/**
What the files of one part of `source/` may import beside the files of their own folder. A `*` stands for any name.
*/
export type Row = {
	/** Folders and top files of `source/`. */
	readonly source: readonly string[];

	/** Builtins of Node, without `node:`. `'*'` leaves out those where bytes lie: they must be named. */
	readonly node: readonly string[];

	/** Packages of npm. */
	readonly packages: readonly string[];
};

/**
The import table, from the lowest layer to the highest: a row names only rows above it (`test/house.test.ts`). A file whose folder has no row may import nothing but its own folder.
*/
export const house: Readonly<Record<string, Row>> = {
	'errors.ts': {
		source: [],
		node: [],
		packages: ['leven'],
	},
	'parse.ts': {
		source: ['errors.ts'],
		node: [],
		packages: [],
	},
	'maybe-promise.ts': {
		source: [],
		node: [],
		packages: [],
	},
	'optional-package.ts': {
		source: ['maybe-promise.ts'],
		node: ['process'],
		packages: [],
	},
	'warnings.ts': {
		source: [],
		node: ['process'],
		packages: [],
	},
	policy: {
		source: [],
		node: [],
		packages: ['parse-duration', 'structured-headers'],
	},
	identity: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'policy'],
		node: ['buffer', 'crypto'],
		packages: [],
	},
	entry: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'optional-package.ts', 'policy', 'identity'],
		node: ['buffer', 'crypto', 'util', 'v8', 'zlib'],
		packages: ['bson', 'yaml'],
	},
	stores: {
		source: ['errors.ts', 'maybe-promise.ts', 'optional-package.ts', 'warnings.ts'],
		node: ['*', 'fs', 'fs/promises', 'sqlite'],
		packages: ['keyv', '@keyv/*', 'keyv-file', '@aws-sdk/*', 'mongodb', 'env-paths'],
	},
	recordings: {
		source: ['errors.ts', 'maybe-promise.ts', 'policy', 'identity', 'entry', 'stores'],
		node: ['*', 'fs'],
		packages: [],
	},
	settings: {
		source: ['errors.ts', 'parse.ts', 'warnings.ts', 'policy', 'identity', 'entry', 'stores'],
		node: [],
		packages: [],
	},
	cache: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'warnings.ts', 'policy', 'identity', 'entry', 'stores', 'recordings', 'settings'],
		node: ['*'],
		packages: [],
	},
	exchange: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'policy', 'identity', 'entry', 'settings', 'cache'],
		node: ['*'],
		packages: [],
	},
	got: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'warnings.ts', 'policy', 'identity', 'entry', 'settings', 'cache', 'exchange'],
		node: ['*', 'fs'],
		packages: ['got'],
	},
	decorators: {
		source: ['errors.ts', 'parse.ts', 'maybe-promise.ts', 'policy', 'identity', 'entry', 'settings', 'cache', 'exchange'],
		node: ['*'],
		packages: [],
	},
	opentelemetry: {
		source: ['errors.ts', 'parse.ts', 'stores', 'cache'],
		node: ['diagnostics_channel'],
		packages: ['@opentelemetry/*'],
	},
	'register.ts': {
		source: ['got'],
		node: [],
		packages: [],
	},
	cli: {
		source: ['errors.ts', 'policy', 'identity', 'entry', 'stores', 'settings', 'cache', 'exchange', 'got'],
		node: ['*', 'fs', 'fs/promises'],
		packages: ['commander', 'got'],
	},
	'index.ts': {
		source: ['*'],
		node: [],
		packages: [],
	},
};

/** Folders in a folder that the rules are made for; what lies deeper may import only what is deeper still. */
const depths = [0, 1, 2];

const parent = String.raw`\.\./`;
const anyOf = (alternatives: readonly string[]) => alternatives.length === 0 ? '(?!)' : `(?:${alternatives.join('|')})`;
const literally = (name: string) => name.replaceAll('.', String.raw`\.`).replaceAll('*', '.+');

const notWhereBytesLie = '(?!fs$|fs/|sqlite$).+';

/**
A regular expression of the specifiers that a row refuses to a file that lies `depth` folders deep in its folder.
*/
function refused(name: string, row: Row, depth: number): string {
	const isFile = name.endsWith('.ts');
	const here = String.raw`\./(?!\.)`;
	const above = depths.slice(1, depth + 1).map(levels => String.raw`${parent.repeat(levels)}(?!\.)`);
	const toSource = isFile ? here : parent.repeat(depth + 1);
	const allowed = [
		...(isFile ? [] : [here, ...above]),
		...row.source.map(target => `${toSource}${literally(target)}${/\.ts$|^\*$/v.test(target) ? '$' : '/'}`),
		...row.node.map(builtin => `node:${builtin === '*' ? notWhereBytesLie : builtin}$`),
		...row.packages.map(packageName => `${literally(packageName)}$`),
	];

	// A way that leaves a folder which it has entered (`./x/../../got/`) is refused, wherever it ends.
	return String.raw`^(?:.*[^.]/\.\.?/|(?!${anyOf(allowed)}))`;
}

type Restriction = {readonly selector: string; readonly message: string};

/** `policy/` is pure: no clock, nothing to wait for. */
const impure: readonly Restriction[] = [
	...[
		'MemberExpression[object.name="Date"][property.name="now"]',
		'NewExpression[callee.name="Date"][arguments.length=0]',
		'CallExpression[callee.name="Date"]',
		'MemberExpression[object.name="performance"]',
	].map(selector => ({selector, message: '`policy/` has no clock: take `now` as an argument.'})),
	...[':function[async=true]', 'AwaitExpression', 'ForOfStatement[await=true]']
		.map(selector => ({selector, message: '`policy/` does no I/O: nothing in it is asynchronous.'})),
];

/** V8 allocates a function literal that is assigned to a property in old space, where it keeps all that it captures in memory until the next major collection. */
const pretenured: readonly Restriction[] = [
	'AssignmentExpression[left.type="MemberExpression"][right.type=/^(Arrow)?FunctionExpression$/]',
].map(selector => ({selector, message: 'Assign the function to a constant first: V8 would allocate it in old space, with all that it captures.'}));

function rulesOf(regex: string, restrictions: readonly Restriction[], message: string) {
	// A selector's regular expression ends at its first slash.
	const pattern = `/${regex.replaceAll('/', String.raw`\u002F`)}/`;

	return {
		// The core rule is free: xo bans its own list by `@typescript-eslint/no-restricted-imports`.
		'no-restricted-imports': ['error', {patterns: [{regex, caseSensitive: true, message}]}],
		'no-restricted-syntax': [
			'error',
			{selector: `ImportExpression[source.value=${pattern}]`, message},
			{selector: 'ImportExpression[source.type!="Literal"]', message: 'Name the module, so that the import table can be held.'},
			{selector: `TSImportType[source.value=${pattern}]`, message},
			...restrictions,
			...pretenured,
		],
	} as const;
}

export const houseRules: FlatXoConfig = [
	{
		name: 'house/no-row',
		files: 'source/**/*.ts',
		rules: rulesOf(String.raw`^(?!\./(?!\.))`, [], 'This file has no row in the import table of xo.config.ts.'),
	},
	...Object.entries(house).flatMap(([name, row]) => (name.endsWith('.ts') ? [0] : depths).map(depth => ({
		name: `house/${name}/${depth}`,
		files: name.endsWith('.ts') ? `source/${name}` : `source/${name}/${'*/'.repeat(depth)}*.ts`,
		rules: rulesOf(refused(name, row, depth), name === 'policy' ? impure : [], `The import table in xo.config.ts does not let \`source/${name}\` import this.`),
	}))),
];

const config: FlatXoConfig = [
	{
		ignores: [
			// A user's program: its types are those of the packed package, which `.ci/pack-test` installs beside it.
			'.ci/pack-test-types.ts',
			// Generated from the doc comments.
			'docs/api/**',
		],
	},
	{
		rules: {
			// One line of meaning beside a field reads better in one line.
			'unicorn/single-line-block-comment-style': 'off',
			// `override readonly name = '…'` is what error classes and stores say of themselves; a getter says it in three lines.
			'@typescript-eslint/class-literal-property-style': ['error', 'fields'],
			// A decision says what to do and what to do `then`; nobody awaits one.
			'unicorn/no-thenable': 'off',
			// Settings have the names of requests-cache's (`disabled`, `staleIfError`), in variables too.
			'unicorn/consistent-boolean-name': 'off',
			// What a class offers is read before how it does it.
			'unicorn/consistent-class-member-order': 'off',
			// A doc comment says what names and types do not: a parameter that explains itself gets no line, and neither does a `yield`.
			'jsdoc/require-param': 'off',
			'jsdoc/check-param-names': ['error', {disableMissingParamChecks: true}],
			'jsdoc/require-yields': 'off',
			// A switch over a union ends with `default: … satisfies never`, so that a new member does not compile.
			'@typescript-eslint/switch-exhaustiveness-check': ['error', {allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: false}],
			// What is there at once is returned at once: many a function gives a value or a promise of it, and `async` would cost a turn of the event loop.
			'@typescript-eslint/promise-function-async': 'off',
			// Got, Keyv and Node's HTTP speak in EventEmitters; so do we.
			'unicorn/prefer-event-target': 'off',
			// As xo's, without the bans on `object` (live values, the keys of a WeakMap) and on `null` (which JSON and SQLite answer).
			'@typescript-eslint/no-restricted-types': ['error', {
				types: {
					// eslint-disable-next-line @typescript-eslint/naming-convention
					Buffer: {message: 'Use `Uint8Array` instead.', suggest: ['Uint8Array']},
				},
			}],
		},
	},
	{
		files: ['test/**', 'bench/**', 'examples/**', '.ci/**'],
		rules: {
			// One after another is what they show, or measure.
			'no-await-in-loop': 'off',
			// An assertion about one property of an answer is one sentence.
			'unicorn/no-await-expression-member': 'off',
			'unicorn/max-nested-calls': 'off',
			// A case of a table is one line.
			'@stylistic/max-len': 'off',
			// A store or a listener that does nothing is a case to try.
			'@typescript-eslint/no-empty-function': 'off',
			// An origin answers by path; the paths are no union to exhaust.
			'@typescript-eslint/switch-exhaustiveness-check': 'off',
			// AVA runs the tests; Node's own runner, which would take every file in `test/` for one, does not.
			'node-test/no-import-test-files': 'off',
		},
	},
	{
		files: 'examples/recorded-fixtures.ts',
		rules: {
			// Nobody awaits the tests of Node's own runner.
			'@typescript-eslint/no-floating-promises': 'off',
		},
	},
	{
		files: ['source/stores/dynamodb/**', 'test/stores/dynamodb/**'],
		rules: {
			// DynamoDB's own names begin with capitals.
			'@typescript-eslint/naming-convention': 'off',
		},
	},
	{
		files: ['source/stores/adapters/**', 'source/stores/create-store.ts', 'test/stores/adapters/**'],
		rules: {
			// The adapters' classes begin with capitals, and the options of MongoDB's driver end with them.
			'@typescript-eslint/naming-convention': 'off',
			'new-cap': 'off',
		},
	},
	{
		files: ['test/decorators/**', 'examples/github-client.ts'],
		rules: {
			// Decorators are called as they are named: like classes.
			'new-cap': ['error', {capIsNewExceptionPattern: String.raw`^(?:Cached|CacheConfig|Uncached|Refresh|Invalidates|Injectable|Traced|Mark|Reflect\.metadata)$`}],
		},
	},
	{
		files: ['test/decorators/shared/**', 'test/decorators/standard/**'],
		rules: {
			// They are imported by the test files beside them, once for each dialect.
			'ava/no-ignored-test-files': 'off',
			// A function's name is what its results are kept by, and a getter of something else is a case to refuse.
			'func-names': 'off',
			'@typescript-eslint/class-literal-property-style': 'off',
			'@typescript-eslint/no-shadow': 'off',
		},
	},
	{
		files: ['*.config.{js,ts}', 'docs/*.config.js'],
		rules: {
			// A configuration is one object that its tool asks for by no name.
			'import-x/no-anonymous-default-export': 'off',
		},
	},
	{
		// What servers and adapters of the tests come in: no package of ours, and each of that one version.
		files: ['.ci/dynamodb/package.json', 'test/adapters/**/package.json'],
		rules: {
			'package-json/prefer-type-module': 'off',
			'package-json/require-engines': 'off',
			'package-json/dependency-version-range': 'off',
		},
	},
	{
		files: 'package.json',
		rules: {
			// The file `package.json` is packed whatever `files` says, so exporting it is right.
			'package-json/prefer-files-field': 'off',
			// The overrides are for the tools alone, as a fresh clone installs them.
			'package-json/no-overrides-in-published-package': 'off',
		},
	},
	{
		// What is published runs on the Node.js that `engines` promises; tests and benchmarks run on that of the devDependencies.
		files: 'source/**/*.ts',
		plugins: {'es-x': esX},
		rules: {
			'n/no-unsupported-features/node-builtins': ['error', {version: '^22.19.0 || >=24', allowExperimental: true}],
			// Node.js 22 refuses both to load; the compiler's `target` lets them pass.
			'es-x/no-regexp-duplicate-named-capturing-groups': 'error',
			'es-x/no-regexp-modifiers': 'error',
			'es-x/no-using-declarations': 'error',
		},
	},
	...houseRules,
];

export default config;

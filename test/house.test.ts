import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {Xo} from 'xo';

type Line = readonly [file: string, code: string, verdict: 'allowed' | 'refused'];

const root = path.resolve(import.meta.dirname, '..');

const imports: readonly Line[] = [
	// `policy/`: itself, and packages that are pure
	['policy/a.ts', 'import \'./b.ts\'', 'allowed'],
	['policy/a.ts', 'import \'./tables/b.ts\'', 'allowed'],
	['policy/a.ts', 'import \'parse-duration\'', 'allowed'],
	['policy/a.ts', 'import \'tinyduration\'', 'allowed'],
	['policy/a.ts', 'import \'picomatch\'', 'allowed'],
	['policy/a.ts', 'import \'structured-headers\'', 'allowed'],
	['policy/a.ts', 'import \'../errors.ts\'', 'refused'],
	['policy/a.ts', 'import \'../entry/b.ts\'', 'refused'],
	['policy/a.ts', 'import type {} from \'../entry/b.ts\'', 'refused'],
	['policy/a.ts', 'import \'./../entry/b.ts\'', 'refused'],
	['policy/a.ts', 'import \'./tables/../../entry/b.ts\'', 'refused'],
	['policy/a.ts', 'import \'../policy-like/b.ts\'', 'refused'],
	['policy/a.ts', 'import \'node:crypto\'', 'refused'],
	['policy/a.ts', 'import \'node:fs\'', 'refused'],
	['policy/a.ts', 'import \'crypto\'', 'refused'],
	['policy/a.ts', 'import \'got\'', 'refused'],
	['policy/a.ts', 'import \'keyv\'', 'refused'],
	['policy/a.ts', 'import \'picomatch/posix\'', 'refused'],
	['policy/a.ts', 'export * from \'got\'', 'refused'],
	['policy/a.ts', 'export {} from \'../entry/b.ts\'', 'refused'],
	['policy/a.ts', 'void import(\'./b.ts\')', 'allowed'],
	['policy/a.ts', 'void import(\'got\')', 'refused'],
	['policy/a.ts', 'void import(`got`)', 'refused'],
	['policy/a.ts', 'export type B = import(\'./b.ts\').B', 'allowed'],
	['policy/a.ts', 'export type B = import(\'got\').Got', 'refused'],

	// Folders in a folder count from where they lie
	['policy/tables/a.ts', 'import \'../b.ts\'', 'allowed'],
	['policy/tables/a.ts', 'import \'../other/b.ts\'', 'allowed'],
	['policy/tables/a.ts', 'import \'../../entry/b.ts\'', 'refused'],
	['policy/tables/a.ts', 'import \'../../errors.ts\'', 'refused'],
	['policy/tables/a.ts', 'import \'got\'', 'refused'],
	['exchange/deep/a.ts', 'import \'../../policy/b.ts\'', 'allowed'],
	['exchange/deep/a.ts', 'import \'../../errors.ts\'', 'allowed'],
	['exchange/deep/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['exchange/deep/a.ts', 'import \'../../got/b.ts\'', 'refused'],
	['exchange/very/deep/a.ts', 'import \'../../../policy/b.ts\'', 'allowed'],
	['exchange/very/deep/a.ts', 'import \'../../../got/b.ts\'', 'refused'],
	['exchange/far/too/deep/a.ts', 'import \'../../../../policy/b.ts\'', 'refused'],

	['identity/a.ts', 'import \'./b.ts\'', 'allowed'],
	['identity/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['identity/a.ts', 'import \'node:crypto\'', 'allowed'],
	['identity/a.ts', 'import \'node:zlib\'', 'refused'],
	['identity/a.ts', 'import \'../entry/b.ts\'', 'refused'],
	['identity/a.ts', 'import \'../errors.ts\'', 'allowed'],
	['identity/a.ts', 'import \'got\'', 'refused'],

	['model/a.ts', 'import \'./b.ts\'', 'allowed'],
	['model/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['model/a.ts', 'import \'../identity/b.ts\'', 'refused'],
	['model/a.ts', 'import \'node:crypto\'', 'refused'],
	['model/a.ts', 'import \'got\'', 'refused'],

	['serializers/a.ts', 'import \'./b.ts\'', 'allowed'],
	['serializers/a.ts', 'import \'../entry/b.ts\'', 'allowed'],
	['serializers/a.ts', 'import \'node:v8\'', 'allowed'],
	['serializers/a.ts', 'import \'node:zlib\'', 'allowed'],
	['serializers/a.ts', 'import \'node:crypto\'', 'allowed'],
	['serializers/a.ts', 'import \'node:buffer\'', 'allowed'],
	['serializers/a.ts', 'void import(\'bson\')', 'allowed'],
	['serializers/a.ts', 'import \'../policy/b.ts\'', 'refused'],
	['serializers/a.ts', 'import \'../stores/b.ts\'', 'refused'],
	['serializers/a.ts', 'import \'node:fs\'', 'refused'],

	['stores/a.ts', 'import \'./b.ts\'', 'allowed'],
	['stores/a.ts', 'import \'../errors.ts\'', 'allowed'],
	['stores/a.ts', 'import \'keyv\'', 'allowed'],
	['stores/a.ts', 'void import(\'@keyv/redis\')', 'allowed'],
	['stores/a.ts', 'void import(\'@aws-sdk/client-dynamodb\')', 'allowed'],
	['stores/a.ts', 'import \'node:sqlite\'', 'allowed'],
	['stores/a.ts', 'import \'node:fs\'', 'allowed'],
	['stores/a.ts', 'import \'node:fs/promises\'', 'allowed'],
	['stores/a.ts', 'import \'node:path\'', 'allowed'],
	['stores/a.ts', 'import \'../policy/b.ts\'', 'refused'],
	['stores/a.ts', 'import \'../entry/b.ts\'', 'refused'],
	['stores/a.ts', 'import \'../settings/b.ts\'', 'refused'],
	['stores/a.ts', 'import \'got\'', 'refused'],

	['cache/a.ts', 'import \'./b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../identity/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../entry/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../serializers/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../stores/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../errors.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../settings/b.ts\'', 'allowed'],
	['cache/a.ts', 'import \'../exchange/b.ts\'', 'refused'],
	['cache/a.ts', 'import \'../index.ts\'', 'refused'],
	['cache/a.ts', 'import \'keyv\'', 'refused'],
	['cache/a.ts', 'import \'node:sqlite\'', 'refused'],
	['cache/a.ts', 'import \'node:fs\'', 'refused'],
	['cache/a.ts', 'import \'node:fs/promises\'', 'refused'],

	['exchange/a.ts', 'import \'./b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'../identity/b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'../entry/b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'../cache/b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'../settings/b.ts\'', 'allowed'],
	['exchange/a.ts', 'import \'node:async_hooks\'', 'allowed'],
	['exchange/a.ts', 'import \'node:zlib\'', 'allowed'],
	['exchange/a.ts', 'import \'../stores/b.ts\'', 'refused'],
	['exchange/a.ts', 'import \'../serializers/b.ts\'', 'refused'],
	['exchange/a.ts', 'import \'../got/b.ts\'', 'refused'],
	['exchange/a.ts', 'import \'got\'', 'refused'],
	['exchange/a.ts', 'import type {} from \'got\'', 'refused'],
	['exchange/a.ts', 'import \'node:sqlite\'', 'refused'],

	['got/a.ts', 'import \'./b.ts\'', 'allowed'],
	['got/a.ts', 'import \'../exchange/b.ts\'', 'allowed'],
	['got/a.ts', 'import \'../cache/b.ts\'', 'allowed'],
	['got/a.ts', 'import \'../entry/b.ts\'', 'allowed'],
	['got/a.ts', 'import type {} from \'../policy/b.ts\'', 'allowed'],
	['got/a.ts', 'import type {} from \'../identity/b.ts\'', 'allowed'],
	['got/a.ts', 'import \'../errors.ts\'', 'allowed'],
	['got/a.ts', 'import \'got\'', 'allowed'],
	['got/a.ts', 'import \'node:http\'', 'allowed'],
	['got/a.ts', 'import \'../stores/b.ts\'', 'refused'],
	['got/a.ts', 'import \'../decorators/b.ts\'', 'refused'],
	['got/a.ts', 'import \'keyv\'', 'refused'],
	['got/a.ts', 'import \'node:fs\'', 'refused'],

	['decorators/a.ts', 'import \'../exchange/b.ts\'', 'allowed'],
	['decorators/a.ts', 'import \'../cache/b.ts\'', 'allowed'],
	['decorators/a.ts', 'import \'../policy/b.ts\'', 'allowed'],
	['decorators/a.ts', 'import \'../settings/b.ts\'', 'allowed'],
	['decorators/a.ts', 'import \'../stores/b.ts\'', 'refused'],
	['decorators/a.ts', 'import \'reflect-metadata\'', 'refused'],
	['decorators/a.ts', 'import \'../got/b.ts\'', 'refused'],
	['decorators/a.ts', 'import \'got\'', 'refused'],

	['cli/a.ts', 'import \'../cache/b.ts\'', 'allowed'],
	['cli/a.ts', 'import \'../stores/b.ts\'', 'allowed'],
	['cli/a.ts', 'import \'node:util\'', 'allowed'],
	['cli/a.ts', 'import \'../exchange/b.ts\'', 'refused'],
	['cli/a.ts', 'import \'node:fs\'', 'refused'],

	['settings.ts', 'import \'./policy/b.ts\'', 'allowed'],
	['settings.ts', 'import \'./errors.ts\'', 'allowed'],
	['settings.ts', 'import \'leven\'', 'allowed'],
	['settings.ts', 'import \'./cache/b.ts\'', 'refused'],
	['settings.ts', 'import \'got\'', 'refused'],
	['settings.ts', 'import type {} from \'./settings-types.ts\'', 'allowed'],
	['settings-types.ts', 'import type {} from \'./stores/b.ts\'', 'allowed'],
	['settings-types.ts', 'import type {} from \'./got/b.ts\'', 'refused'],
	['errors.ts', 'import \'./settings.ts\'', 'refused'],
	['errors.ts', 'import \'node:util\'', 'refused'],
	['register.ts', 'import \'./got/global/b.ts\'', 'allowed'],
	['register.ts', 'import \'./exchange/b.ts\'', 'refused'],
	['register.ts', 'import \'node:module\'', 'refused'],
	['index.ts', 'export * from \'./got/b.ts\'', 'allowed'],
	['index.ts', 'export * from \'./errors.ts\'', 'allowed'],
	['index.ts', 'export * from \'got\'', 'refused'],

	// What has no row
	['unknown/a.ts', 'import \'./b.ts\'', 'allowed'],
	['unknown/a.ts', 'import \'../policy/b.ts\'', 'refused'],
	['unknown.ts', 'import \'got\'', 'refused'],
];

const purity: readonly Line[] = [
	['policy/pure.ts', 'Date.now()', 'refused'],
	['policy/pure.ts', 'new Date()', 'refused'],
	['policy/pure.ts', 'Date()', 'refused'],
	['policy/pure.ts', 'performance.now()', 'refused'],
	['policy/pure.ts', 'new Date(0)', 'allowed'],
	['policy/pure.ts', 'Date.parse("")', 'allowed'],
	['policy/pure.ts', 'export async function a() {}', 'refused'],
	['policy/pure.ts', 'export const b = async () => 1', 'refused'],
	['policy/pure.ts', 'export class C { async d() {} }', 'refused'],
	['policy/pure.ts', 'export function e() {}', 'allowed'],
	['policy/pure.ts', 'await Promise.resolve()', 'refused'],
	['policy/pure.ts', 'for await (const f of []) {}', 'refused'],
	['policy/tables/pure.ts', 'Date.now()', 'refused'],
	['exchange/impure.ts', 'Date.now()', 'allowed'],
	['exchange/impure.ts', 'export async function a() {}', 'allowed'],
	['exchange/impure.ts', 'await Promise.resolve()', 'allowed'],
];

// What Node.js 22.19 lacks.
const newer: readonly Line[] = [
	['policy/newer.ts', 'export const a = /(?<x>1)|(?<x>2)/v', 'refused'],
	['policy/newer.ts', 'export const b = /(?:(?<x>1)-(?<y>2)|-(?<y>3))/v', 'refused'],
	['policy/newer.ts', 'export const c = new RegExp(String.raw`(?<x>1)|(?<x>2)`, \'v\')', 'refused'],
	['policy/newer.ts', 'export const d = /(?<x>1)|(?<y>2)/v', 'allowed'],
	['policy/newer.ts', 'export const e = /(?i:a)b/v', 'refused'],
	['policy/newer.ts', 'export const f = /(?:a)b/iv', 'allowed'],
	['stores/newer.ts', 'import {mkdtempDisposable} from \'node:fs/promises\'', 'refused'],
	['stores/newer.ts', 'import {mkdtemp} from \'node:fs/promises\'', 'allowed'],
	['exchange/newer.ts', 'import {zstdCompressSync} from \'node:zlib\'', 'allowed'],
	['exchange/newer.ts', 'import {registerHooks} from \'node:module\'', 'allowed'],
];

const rules = /^(?:no-restricted-imports|no-restricted-syntax|es-x\/.+|n\/no-unsupported-features\/.+)$/v;

/**
What the repository's own configuration says of each line, with all lines of a file linted as that file, in a project of its own.
*/
async function lint(project: string, lines: readonly Line[]) {
	const files = Map.groupBy(lines, ([file]) => file);

	await fs.writeFile(path.join(project, 'package.json'), '{"type": "module"}');
	await fs.writeFile(path.join(project, 'tsconfig.json'), '{"include": ["source"]}');
	await Promise.all([...files].map(async ([file, ofFile]) => {
		const target = path.join(project, 'source', file);
		await fs.mkdir(path.dirname(target), {recursive: true});
		await fs.writeFile(target, ofFile.map(([, code]) => `${code};\n`).join(''));
	}));

	const {results} = await new Xo({cwd: project, ts: true, configPath: path.join(root, 'xo.config.ts')}).lintFiles('source/**');
	const source = path.join(await fs.realpath(project), 'source');
	const refusals = new Set(results.flatMap(({filePath, messages}) => messages
		.filter(({ruleId, fatal}) => fatal === true || (ruleId !== null && rules.test(ruleId)))
		.map(({line}) => `${path.relative(source, filePath).replaceAll('\\', '/')}:${line}`)));

	return [...files].flatMap(([file, ofFile]) => ofFile.map(([, code], index): Line => [file, code, refusals.has(`${file}:${index + 1}`) ? 'refused' : 'allowed']));
}

test('the linter holds the import table, that the policy is pure, and what the least Node.js can parse and has', async t => {
	const project = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-house-'));
	t.teardown(async () => fs.rm(project, {recursive: true}));

	const lines = [...imports, ...purity, ...newer];
	const expected = Map.groupBy(lines, ([file]) => file).values().toArray().flat();

	t.deepEqual(await lint(project, lines), expected);
});

import {
	createRequire,
	findPackageJSON,
	registerHooks,
	type LoadFnOutput,
	type LoadHookContext,
} from 'node:module';
import process from 'node:process';
import {configure} from './configuration.ts';
import {installCache} from './install-cache.ts';
import {adoptionCode, createRegistry} from './process-registry.ts';

/**
Creates the registry of the process, and installs the cache that environment variables or a file configure.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` if a setting in a variable or the file is wrong, or the file cannot be run. The message names the variable or the file.
*/
export async function register(): Promise<void> {
	if (createRegistry() === undefined) {
		return;
	}

	adoptGot();
	await configure(process.env, process.cwd(), installCache);
}

const supportedMajors: ReadonlySet<string> = new Set(['14', '15', '16']);

/** The search parameter under which the original module is loaded in addition to its replacement. */
const originalParameter = 'got-cache-hooks';

/**
Replaces the class `Options` of each physical copy of Got 14, 15 and 16 that is loaded from now on by a subclass, whether by `import`, `import()` or `require()`.

The original module is loaded under another URL, and a module with the subclass replaces it, without any assumption about its source code.
*/
function adoptGot(): void {
	registerHooks({
		load(url, context, nextLoad) {
			const loaded = asWithoutHook(url, nextLoad(url, context), context);
			return loaded.source !== undefined && loaded.source !== null && isOptionsOfGot(url) ? {...loaded, source: replacementFor(url)} : loaded;
		},
	});
}

function replacementFor(url: string): string {
	const separator = new URL(url).searchParams.size === 0 ? '?' : '&';
	const from = JSON.stringify(`${url}${separator}${originalParameter}`);
	return `import Options from ${from};\nexport * from ${from};\nexport default ${adoptionCode('Options')};\n`;
}

/** The first minor version of each major version of Node.js in which load hooks do not break CommonJS. */
const firstFixedMinors: ReadonlyMap<number, number> = new Map([[22, 23], [23, Infinity], [24, 12], [25, 1]]);
const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const hasBrokenHooks = minor < (firstFixedMinors.get(major) ?? 0);

/** In some versions of Node.js, a CommonJS module that is imported, or is the entry point, cannot require an ES module with imports once there is any load hook. With this format, these versions load it as they do without a hook. */
function asWithoutHook(url: string, loaded: LoadFnOutput, {conditions}: LoadHookContext): LoadFnOutput {
	// In some of these versions, the conditions are a set.
	return hasBrokenHooks && loaded.format === 'commonjs' && url.startsWith('file:') && [...conditions].includes('import')
		? {...loaded, format: 'commonjs-sync'}
		: loaded;
}

/** Returns whether a module is `Options` of Got, by the package.json of its package. The URL is tested first, since this is called for each module of the process. */
function isOptionsOfGot(url: string): boolean {
	if (!/^file:.*\/dist\/source\/core\/options\.js(?:[#?]|$)/v.test(url) || new URL(url).searchParams.has(originalParameter)) {
		return false;
	}

	const file = findPackageJSON(url);
	if (file === undefined) {
		return false;
	}

	const {name, version} = createRequire(url)(file) as {readonly name?: unknown; readonly version?: unknown};
	return name === 'got' && typeof version === 'string' && supportedMajors.has(version.split('.', 1)[0]!);
}

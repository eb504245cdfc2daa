import {
	createRequire,
	findPackageJSON,
	registerHooks,
	type LoadFnOutput,
	type LoadHookContext,
} from 'node:module';
import process from 'node:process';
import {adoptionCode, createRegistry} from './process-registry.ts';
import {configure} from './configuration.ts';
import {installCache} from './install-cache.ts';

const majors: ReadonlySet<string> = new Set(['14', '15', '16']);

// In a search parameter, it makes the URL of a module one that is loaded beside the module itself.
const original = 'got-cache-hooks';

/**
Puts a subclass in place of the class `Options` of each physical copy of Got 14, 15 and 16 that is loaded from now on: by `import`, `import()` or `require()`, for whomever. The class itself stays as it is.

The module is loaded under another URL, and one with the subclass takes its place: of what its source looks like, nothing is assumed.
*/
export function adoptGot(): void {
	registerHooks({
		load(url, context, nextLoad) {
			const loaded = asWithoutHook(url, nextLoad(url, context), context);
			return loaded.source !== undefined && loaded.source !== null && isOptionsOfGot(url) ? {...loaded, source: substitute(url)} : loaded;
		},
	});
}

function substitute(url: string): string {
	const {searchParams} = new URL(url);
	const separator = searchParams.size === 0 ? '?' : '&';
	const from = JSON.stringify(`${url}${separator}${original}`);
	return `import Options from ${from};\nexport * from ${from};\nexport default ${adoptionCode('Options')};\n`;
}

/** The minor version of each line of Node.js from which on a load hook does no harm to CommonJS. */
const mended: ReadonlyMap<number, number> = new Map([[22, 23], [23, Infinity], [24, 12], [25, 1]]);
const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const isHarmful = minor < (mended.get(major) ?? 0);

/**
In some versions of Node.js, a CommonJS module that is imported, or is the program, cannot require an ES module with imports once there is any load hook. Under this name of their own, these versions load it as they do where there is none; other versions need not know the name.
*/
function asWithoutHook(url: string, loaded: LoadFnOutput, {conditions}: LoadHookContext): LoadFnOutput {
	// They are a set in some of these versions.
	return isHarmful && loaded.format === 'commonjs' && url.startsWith('file:') && [...conditions].includes('import')
		? {...loaded, format: 'commonjs-sync'}
		: loaded;
}

/** By its package.json, whatever the folder is called. Only a file that all of them have is asked about: this is called for each module of the process. */
function isOptionsOfGot(url: string): boolean {
	if (!/^file:.*\/dist\/source\/core\/options\.js(?:[#?]|$)/v.test(url) || new URL(url).searchParams.has(original)) {
		return false;
	}

	const file = findPackageJSON(url);
	if (file === undefined) {
		return false;
	}

	const {name, version} = createRequire(url)(file) as {readonly name?: unknown; readonly version?: unknown};
	return name === 'got' && typeof version === 'string' && majors.has(version.split('.', 1)[0]!);
}

/**
Creates the registry of the process, and installs what the environment or a file configures.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` where a setting in a variable or the file is wrong, or the file cannot be run: it names the variable or the file.
*/
export async function register(): Promise<void> {
	if (createRegistry() === undefined) {
		return;
	}

	adoptGot();
	await configure(process.env, process.cwd(), installCache);
}

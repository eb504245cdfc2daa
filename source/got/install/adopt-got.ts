import {
	createRequire,
	findPackageJSON,
	registerHooks,
	type LoadFnOutput,
	type LoadHookContext,
} from 'node:module';
import process from 'node:process';
import {adoptionCode} from './seat.ts';

const majors: ReadonlySet<string> = new Set(['15', '16']);

/**
Lets each physical copy of Got 15 and 16 that is loaded from now on hand over its class `Options`: by `import`, `import()` or `require()`, for whomever.

The code stands behind Got's own, so that the lines of its stack traces stay what they are. The module imports itself there: of what its source looks like, nothing is assumed.
*/
export function adoptGot(): void {
	registerHooks({
		load(url, context, nextLoad) {
			const loaded = asWithoutHook(url, nextLoad(url, context), context);
			if (!isGot(url) || loaded.source === undefined || loaded.source === null) {
				return loaded;
			}

			const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
			return {...loaded, source: `${source}\nimport {Options as gotCacheHooksOptions} from ${JSON.stringify(url)};\n${adoptionCode('gotCacheHooksOptions')}\n`};
		},
	});
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

/** By its package.json, whatever the folder is called. Only the file that all versions have as their entry is asked about: this is called for each module of the process. */
function isGot(url: string): boolean {
	if (!/^file:.*\/dist\/source\/index\.js(?:[#?]|$)/v.test(url)) {
		return false;
	}

	const file = findPackageJSON(url);
	if (file === undefined) {
		return false;
	}

	const {name, version} = createRequire(url)(file) as {readonly name?: unknown; readonly version?: unknown};
	return name === 'got' && typeof version === 'string' && majors.has(version.split('.', 1)[0]!);
}

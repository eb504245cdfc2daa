import {createRequire, findPackageJSON, registerHooks} from 'node:module';
import {adoptionCode} from './seat.ts';

const majors: ReadonlySet<string> = new Set(['15', '16']);

/**
Lets each physical copy of Got 15 and 16 that is loaded from now on hand over its class `Options`: by `import`, `import()` or `require()`, for whomever.

The code stands behind Got's own, so that the lines of its stack traces stay what they are. The module imports itself there: of what its source looks like, nothing is assumed.
*/
export function adoptGot(): void {
	registerHooks({
		load(url, context, nextLoad) {
			const loaded = nextLoad(url, context);
			if (!isGot(url) || loaded.source === undefined || loaded.source === null) {
				return loaded;
			}

			const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
			return {...loaded, source: `${source}\nimport {Options as gotCacheHooksOptions} from ${JSON.stringify(url)};\n${adoptionCode('gotCacheHooksOptions')}\n`};
		},
	});
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

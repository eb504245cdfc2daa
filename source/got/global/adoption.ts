import fs from 'node:fs';
import nodeModule, {type LoadFnOutput, type LoadHookContext, type ResolveHookContext} from 'node:module';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {isSupportedVersion} from '../supported-got.ts';
import {adoptionCode, type OptionsClass, type ProcessRegistry} from './process-registry.ts';

/** The search parameter under which the original module is loaded in addition to its replacement. */
const originalParameter = 'got-cache-hooks';

/**
Replaces the class `Options` of each supported physical copy of Got that is loaded from now on by a subclass, whether by `import`, `import()` or `require()`. Notes each copy of another version.

The original module is loaded under another URL, and a module with the subclass replaces it, without any assumption about its source code.
*/
export function adoptGot(registry: ProcessRegistry, registerHooks: typeof nodeModule.registerHooks): void {
	registerHooks({
		resolve(specifier, context, nextResolve) {
			const resolved = nextResolve(specifier, context);
			const found = moduleOfGot(resolved.url);
			if (found?.isSupported === false) {
				registry.unreached.noteVersion(found.version, found.folder);
			} else if (found?.name === 'core/options' && isRequired(context)) {
				adoptRequired(registry, resolved.url);
			}

			return resolved;
		},
		load(url, context, nextLoad) {
			const loaded = asWithoutHook(url, nextLoad(url, context), context);
			return loaded.source !== undefined && loaded.source !== null && isReplaced(url) ? {...loaded, source: replacementFor(url)} : loaded;
		},
	});
}

function isReplaced(url: string): boolean {
	const {name, isSupported} = moduleOfGot(url) ?? {};
	return isSupported === true && name === 'core/options' && !new URL(url).searchParams.has(originalParameter);
}

function replacementFor(url: string): string {
	const separator = new URL(url).searchParams.size === 0 ? '?' : '&';
	const from = JSON.stringify(`${url}${separator}${originalParameter}`);
	return `import Options from ${from};\nexport * from ${from};\nexport default ${adoptionCode('Options')};\n`;
}

type ModuleOfGot = {
	/** The path of the module in the folder of Got's sources, without its extension. */
	readonly name: string;

	/** The folder of this copy of Got, as a URL. */
	readonly folder: string;
	readonly version: string;
	readonly isSupported: boolean;
};

const versions = new Map<string, string | undefined>();

/** Returns what is known of a module that is the main one or `Options` of a copy of Got. The URL is tested first, since this is called for each module of the process. */
function moduleOfGot(url: string): ModuleOfGot | undefined {
	// Up to Got 9, the sources were in `source`.
	const {folder, name} = /^(?<folder>file:.*?)\/(?:dist\/)?source\/(?<name>core\/options|index)\.js(?:[#?]|$)/v.exec(url)?.groups as {readonly folder?: string; readonly name?: string} | undefined ?? {};
	if (folder === undefined || name === undefined) {
		return undefined;
	}

	if (!versions.has(folder)) {
		versions.set(folder, versionOfGot(folder));
	}

	const version = versions.get(folder);
	return version === undefined
		? undefined
		: {
			name, folder, version, isSupported: isSupportedVersion(version),
		};
}

/** Returns the version of Got whose folder this is; `undefined` if it is another package. */
function versionOfGot(folder: string): string | undefined {
	try {
		// Not by `require()`, whose hooks take the JSON for code in Deno.
		const {name, version} = JSON.parse(fs.readFileSync(new URL(`${folder}/package.json`), 'utf8')) as {readonly name?: unknown; readonly version?: unknown};
		return name === 'got' && typeof version === 'string' ? version : undefined;
	} catch {
		return undefined;
	}
}

function isRequired({conditions}: ResolveHookContext): boolean {
	const names = new Set(conditions);
	return names.has('require') && !names.has('import');
}

type Loader = (module: NodeJS.Module, file: string) => void;

/**
Replaces the class `Options` of a module that is about to be required. Node.js does not require it, since it is an ES module, but imports it. What requires it is a loader that compiles ES modules to CommonJS, such as that of tsx: it replaces `require.extensions['.js']`, reads the module itself and calls no load hook.
*/
function adoptRequired(registry: ProcessRegistry, url: string): void {
	// eslint-disable-next-line @typescript-eslint/no-deprecated -- Loaders that use it cannot be reached otherwise.
	const {extensions} = nodeModule.createRequire(import.meta.url);
	const original = extensions['.js'] as Loader;
	const adopting: Loader = (module, file) => {
		// It loads one module, unless another loader that calls it has taken its place meanwhile.
		if (extensions['.js'] === adopting) {
			extensions['.js'] = original;
		}

		original(module, file);
		if (file.split('?', 1)[0] === fileURLToPath(url)) {
			module.exports = withAdopted(registry, module.exports as {readonly default: OptionsClass});
		}
	};

	extensions['.js'] = adopting;
}

/** Returns the exports with the subclass. They cannot be changed themselves, since they may have getters only. */
function withAdopted(registry: ProcessRegistry, exports: {readonly default: OptionsClass}): unknown {
	return Object.defineProperties({}, {
		...Object.getOwnPropertyDescriptors(exports),
		default: {value: registry.adopt(exports.default), enumerable: true},
	});
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

// `node --import ./examples/transpile.js examples/github-client.ts`: Node.js strips types, and knows no decorators yet.
// Programs of your own are compiled by tsc, esbuild, tsx or swc, which know them.
import {registerHooks} from 'node:module';
import ts from 'typescript';

const compilerOptions = {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext};

registerHooks({
	load(url, context, nextLoad) {
		const loaded = nextLoad(url, context);
		return url === new URL('github-client.ts', import.meta.url).href
			? {...loaded, format: 'module', source: ts.transpileModule(String(loaded.source), {compilerOptions}).outputText}
			: loaded;
	},
});

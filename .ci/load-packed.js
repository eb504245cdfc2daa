// Lets tests run against the packed package, which `pack-test` has unpacked: it takes the place of `source/index.ts`.
import {registerHooks} from 'node:module';

const source = new URL('../source/', import.meta.url).href;
const packed = new URL('.cache/package/dist/index.js', import.meta.url).href;

registerHooks({
	resolve(specifier, context, nextResolve) {
		const resolved = nextResolve(specifier, context);
		if (!resolved.url.startsWith(source)) {
			return resolved;
		}

		if (resolved.url !== `${source}index.ts`) {
			throw new Error(`${context.parentURL} imports ${specifier}, so it cannot run against the packed package`);
		}

		return {...resolved, url: packed, format: 'module'};
	},
});

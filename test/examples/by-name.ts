import {registerHooks} from 'node:module';
import {entryPoints} from '../../docs/entry-points.ts';

/**
Programs that lie elsewhere get this package, as its sources, by its name, and what is installed for it. `node --import` loads this file.
*/
const root = new URL('../../', import.meta.url).href;
const own = `${root}source/index.ts`;

registerHooks({
	resolve(specifier, context, nextResolve) {
		const entry = entryPoints.get(specifier);
		if (entry !== undefined) {
			return {url: root + entry, shortCircuit: true};
		}

		const isElsewhere = context.parentURL?.startsWith('file:') && !context.parentURL.startsWith(root);
		// eslint-disable-next-line @typescript-eslint/naming-convention -- The name of Node.js.
		return nextResolve(specifier, isElsewhere && /^[^.\/]/v.test(specifier) ? {...context, parentURL: own} : context);
	},
});

import {registerHooks} from 'node:module';

/**
Programs that lie elsewhere get this package, as its sources, by its name, and what is installed for it. `node --import` loads this file.
*/
const entries: Readonly<Record<string, string>> = {
	'got-cache-hooks': new URL('../../source/index.ts', import.meta.url).href,
	'got-cache-hooks/dynamodb': new URL('../../source/stores/dynamodb/index.ts', import.meta.url).href,
	'got-cache-hooks/register': new URL('../../source/register.ts', import.meta.url).href,
};

const root = new URL('../../', import.meta.url).href;

registerHooks({
	resolve(specifier, context, nextResolve) {
		const entry = entries[specifier];
		if (entry !== undefined) {
			return {url: entry, shortCircuit: true};
		}

		const isElsewhere = context.parentURL?.startsWith('file:') && !context.parentURL.startsWith(root);
		// eslint-disable-next-line @typescript-eslint/naming-convention -- The name of Node.js.
		return nextResolve(specifier, isElsewhere && /^[^.\/]/v.test(specifier) ? {...context, parentURL: entries['got-cache-hooks']!} : context);
	},
});

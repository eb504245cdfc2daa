import {registerHooks} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const entries = {
	'test/adapters': 'index.js',
	'test/adapters/beta': 'index.mjs',
} as const;

let current: keyof typeof entries = 'test/adapters';

/**
Says from which folder `@keyv/sqlite` is imported from now on. It is compiled on install, and so not beside the other packages.
*/
export function importSqliteFrom(folder: keyof typeof entries): void {
	current = folder;
}

// Importing this is what a child process does it for.
// eslint-disable-next-line unicorn/no-top-level-side-effects
registerHooks({
	resolve(specifier, context, next) {
		const file = path.resolve(import.meta.dirname, '../..', current, 'node_modules/@keyv/sqlite/dist', entries[current]);
		return next(specifier === '@keyv/sqlite' ? pathToFileURL(file).href : specifier, context);
	},
});

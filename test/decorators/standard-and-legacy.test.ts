/*
Runs the tests in `shared` with standard and with legacy decorators.
*/
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	for (const file of ['cached.ts', 'scoped-function.ts', 'cache-config.ts', 'cached-results.ts', 'result-names.ts', 'invalidates.ts', 'types.ts']) {
		await importIn(dialect, file);
	}
}

await importIn('standard', 'private.ts');

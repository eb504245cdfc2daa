/*
The tests are in `body`, and run once in each dialect.
*/
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	for (const file of ['requests.ts', 'lazy.ts', 'classes.ts', 'results.ts', 'names.ts', 'invalidation.ts', 'types.ts']) {
		await importIn(dialect, file);
	}
}

await importIn('standard', 'private.ts');

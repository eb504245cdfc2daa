/*
Runs without reflect-metadata. `container-metadata.test.ts` runs with it, in another process.
*/
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	await importIn(dialect, 'container.ts');
}

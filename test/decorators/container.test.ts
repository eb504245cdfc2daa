/*
Without reflect-metadata. With it: see `container-metadata.test.ts`, a process of its own.
*/
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	await importIn(dialect, 'container.ts');
}

import 'reflect-metadata';
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	await importIn(dialect, 'container.ts');
}

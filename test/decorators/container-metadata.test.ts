import 'reflect-metadata'; // eslint-disable-line import-x/no-unassigned-import -- It adds to `Reflect`.
import {dialects, importIn} from './transpile.ts';

for (const dialect of dialects) {
	await importIn(dialect, 'container.ts');
}

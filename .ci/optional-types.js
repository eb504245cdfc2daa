// Makes the declarations in `dist/types` compile where an optional peer dependency is not installed, without `skipLibCheck`: TypeScript then takes its types for `any`. `npm run build` runs it, since TypeScript has no such option.
import fs from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const {peerDependenciesMeta} = JSON.parse(await fs.readFile(path.join(root, 'package.json'), 'utf8'));
const optional = Object.keys(peerDependenciesMeta).join('|');

for await (const file of fs.glob(path.join(root, 'dist/**/*.d.ts'))) {
	const declarations = await fs.readFile(file, 'utf8');
	const tolerant = declarations
		.replaceAll(new RegExp(`^import .* from '(?:${optional})';$`, 'gmv'), '// @ts-ignore -- It is optional.\n$&')
		// TypeScript writes the comment of a statement on the line of the statement, where it has no effect.
		.replaceAll(/^(?<comment>\/\*\* @ts-ignore .*? \*\/) (?=import )/gmv, '$<comment>\n');
	if (tolerant !== declarations) {
		await fs.writeFile(file, tolerant);
	}
}

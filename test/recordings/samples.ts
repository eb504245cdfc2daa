import fs from 'node:fs/promises';
import path from 'node:path';
import {readPage} from '../examples/pages.ts';

const page = 'docs/record-and-replay.md';
const host = 'https://api.example.com';

/** Writes the programs of the page that have a file name, with the origin in place of the host. */
export async function writeSamples(folder: string, origin: string): Promise<void> {
	for (const {groups} of readPage(page).matchAll(/^```js\n\/\/ (?<file>\S+)\n(?<code>.*?)^```$/gmsv)) {
		await fs.writeFile(path.join(folder, groups!.file!), groups!.code!.split(host).join(origin));
	}
}

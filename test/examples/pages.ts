import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';

export const root: string = path.resolve(import.meta.dirname, '../..');

/** At once: AVA wants all tests declared at once. */
export function readPage(file: string): string {
	return readFileSync(path.join(root, file), 'utf8');
}

/** The readme and all of `docs/`, but what is generated, and the page by which the site includes the readme. */
export function listPages(): readonly string[] {
	const docs = readdirSync(path.join(root, 'docs'), {recursive: true, encoding: 'utf8'})
		.map(name => name.split(path.sep).join('/'))
		.filter(name => name.endsWith('.md') && !/^(?:index\.md$|(?:api|node_modules|\.[^\/]+)\/)/v.test(name));
	return ['readme.md', ...docs.map(name => `docs/${name}`).toSorted()];
}

/** The rows of the table with a header, cell by cell. */
export function tableRows(page: string, header: string): string[][] {
	const start = page.indexOf(`\n${header}\n`);
	if (start === -1) {
		throw new Error(`There is no table \`${header}\``);
	}

	const lines = page.slice(start + 1).split('\n');
	const end = lines.findIndex(line => !line.startsWith('|'));
	return lines.slice(2, end).map(line => line.split(/(?<!\\)\|/v).slice(1, -1).map(cell => cell.trim()));
}

export function codeSpans(text: string): string[] {
	return text.matchAll(/`(?<code>[^`]+)`/gv).map(({groups}) => groups!.code!).toArray();
}

/** A link, as its page has it. */
export type Link = {readonly text: string; readonly target: string};

/** The links of a page, without those in samples. */
export function linksOf(page: string): readonly Link[] {
	const prose = page.replaceAll(/^```.+?^```$/gmsv, '');
	return prose.matchAll(/\[(?<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?<target>[^\s\(\)]+)\)/gv).map(({groups}) => ({text: groups!.text!, target: groups!.target!})).toArray();
}

/** The fragments by which GitHub links to the headings of a page. */
export function headingsOf(page: string): ReadonlySet<string> {
	const prose = page.replaceAll(/^```.+?^```$/gmsv, '');
	const slugs = prose.matchAll(/^#+ (?<heading>.+)$/gmv).map(({groups}) => groups!.heading!.toLowerCase().replaceAll(/[^\p{Letter}\p{Number} \-_]/gv, '').replaceAll(' ', '-'));
	return new Set(slugs);
}

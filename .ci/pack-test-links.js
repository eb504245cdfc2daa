// Reads every page of the packed package, which lies in the named folder: each link leads to a file in it, to a heading of the page, or to the web; and what it says of this repository is there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const folder = path.resolve(process.argv[2]);
const root = path.resolve(import.meta.dirname, '..');
const {repository} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const github = repository.replace(/^github:/v, 'https://github.com/');

const withoutCode = markdown => markdown.replaceAll(/^```.+?^```$/gmsv, '');
const headingsOf = markdown => new Set(withoutCode(markdown).matchAll(/^#+ (?<heading>.+)$/gmv).map(({groups}) => groups.heading.toLowerCase().replaceAll(/[^\p{Letter}\p{Number} \-_]/gv, '').replaceAll(' ', '-')));

function isThere(file, target) {
	const ours = ['blob', 'tree', 'raw'].map(kind => `${github}/${kind}/HEAD/`).find(prefix => target.startsWith(prefix));
	if (ours === undefined && /^https?:/v.test(target)) {
		return true;
	}

	const [linked, fragment] = target.slice(ours?.length ?? 0).split('#', 2);
	const found = linked === '' ? file : path.join(ours === undefined ? path.dirname(file) : root, linked);
	return fs.existsSync(found) && (fragment === undefined || headingsOf(fs.readFileSync(found, 'utf8')).has(fragment));
}

const pages = fs.readdirSync(folder, {recursive: true}).filter(name => name.endsWith('.md')).map(name => path.join(folder, name));
const links = pages.flatMap(file => withoutCode(fs.readFileSync(file, 'utf8')).matchAll(/\]\((?<target>[^\s\(\)]+)\)/gv).map(({groups}) => [file, groups.target]).toArray());
assert.ok(links.length > 20);
assert.deepEqual(links.filter(([file, target]) => !isThere(file, target)).map(([file, target]) => `${path.relative(folder, file)}: ${target}`), []);
console.log(`${links.length} links of ${pages.length} packed pages lead somewhere`);

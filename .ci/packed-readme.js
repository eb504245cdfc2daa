// In the package, the readme's links to files that are not packed lead to the repository: `npm pack` and `npm publish` call this before (`absolute`) and after (`relative`), when the readme is what it was.
import fs from 'node:fs';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const root = new URL('../', import.meta.url);
const {repository} = JSON.parse(fs.readFileSync(new URL('package.json', root), 'utf8'));
const github = repository.replace(/^github:/v, 'https://github.com/');

// Outside of code, where nothing is a link.
function replaceLinks(markdown, pattern, replace) {
	let isCode = false;
	return markdown.split('\n').map(line => {
		isCode = line.startsWith('```') ? !isCode : isCode;
		return isCode ? line : line.replaceAll(pattern, (...match) => replace(...match));
	}).join('\n');
}

export function withAbsoluteLinks(markdown) {
	return replaceLinks(markdown, /(?<start>!?)\[(?<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?![a-z][\d+\-.a-z]*:|[#\/])(?<target>[^\s\(\)]+)\)/giv, (...match) => {
		const {start, text, target} = match.at(-1);
		const kind = /\/(?:#|$)/v.test(target) ? 'tree' : 'blob';
		return `${start}[${text}](${github}/${start === '!' ? 'raw' : kind}/HEAD/${target})`;
	});
}

export function withRelativeLinks(markdown) {
	return replaceLinks(markdown, /\]\((?<url>[^\s\(\)]+)/gv, (link, url) => link.replace(['blob', 'tree', 'raw'].map(kind => `${github}/${kind}/HEAD/`).find(prefix => url.startsWith(prefix)) ?? '', ''));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const readme = new URL('readme.md', root);
	const replace = {absolute: withAbsoluteLinks, relative: withRelativeLinks}[process.argv[2]];
	fs.writeFileSync(readme, replace(fs.readFileSync(readme, 'utf8')));
}

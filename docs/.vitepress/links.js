// The pages are written for GitHub, where links lead to files. On the site, those to pages lead to pages, and those to other files of the repository to GitHub.
import path from 'node:path';

const isRelative = target => !/^(?:[a-z][\d+\-.a-z]*:|[#\/])/iv.test(target);

/** The file of the repository that a page is made from. */
function fileOf(page) {
	return page === 'index.md' ? 'readme.md' : `docs/${page}`;
}

/** Where a link of a page leads on the site. */
export function siteLink(target, page, repository) {
	if (!isRelative(target)) {
		return target;
	}

	const [file, fragment] = target.split('#', 2);
	const rest = fragment === undefined ? '' : `#${fragment}`;
	const linked = path.posix.join(path.posix.dirname(fileOf(page)), file);
	const inSite = linked === 'readme.md' ? 'index.md' : (/^docs\/.*(?:\.md|\/)$/v.test(linked) ? linked.slice('docs/'.length).replace(/(?:README\.md|(?<=\/))$/v, 'index.md') : undefined);
	if (inSite === undefined) {
		return `${repository}/${linked.endsWith('/') ? 'tree' : 'blob'}/HEAD/${linked}${rest}`;
	}

	const relative = path.posix.relative(path.posix.dirname(page), inSite);
	return `${relative.startsWith('.') ? '' : './'}${relative}${rest}`;
}

/** An image that lies outside of the docs is bundled from where it lies. */
function siteImage(target, page) {
	const linked = path.posix.join(path.posix.dirname(fileOf(page)), target);
	return isRelative(target) ? path.posix.relative(path.posix.join('docs', path.posix.dirname(page)), linked) : target;
}

/** The fragments by which GitHub links to headings. */
export function slugOf(heading) {
	return heading.trim().toLowerCase().replaceAll(/[^\p{Letter}\p{Number} \-_]/gv, '').replaceAll(' ', '-');
}

export function repositoryLinks(markdown, repository) {
	markdown.core.ruler.push('repository_links', ({tokens, env}) => {
		for (const token of tokens.flatMap(({children}) => children ?? [])) {
			if (token.type === 'link_open') {
				token.attrSet('href', siteLink(token.attrGet('href'), env.relativePath, repository));
			} else if (token.type === 'image') {
				token.attrSet('src', siteImage(token.attrGet('src'), env.relativePath));
			}
		}
	});
}

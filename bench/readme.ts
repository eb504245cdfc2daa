const opening = '<!-- bench -->';
const closing = '<!-- /bench -->';

/** A part that is written by the benchmarks alone. */
export function section(content: string): string {
	return `${opening}\n\n${content}\n\n${closing}`;
}

export function sectionOf(text: string): string {
	const start = text.indexOf(opening);
	const end = text.indexOf(closing);
	if (start === -1 || end < start) {
		throw new Error(`There is no part between ${opening} and ${closing}`);
	}

	return text.slice(start, end + closing.length);
}

/** The page with the part of the results in place of its own. `folder` is the way from the page to `bench/`. */
export function replaceSection(page: string, results: string, folder: string): string {
	return page.replace(sectionOf(page), () => sectionOf(results).split('](hits.svg)').join(`](${folder}hits.svg)`));
}

/** What the readme compares: the caches of other clients, and Got with and without a cache. */
const compared = new Set(['undici request, memory', 'axios-cache-interceptor', 'canned Got', 'ours, memory', 'ours, memory, createCachedGot', 'ours, SQLite', 'Got with its own cache', 'plain Got']);

/** The part of the results for the readme: how it was measured, a few of the hits, and the chart. */
export function excerpt(results: string): string {
	const lines = sectionOf(results).split('\n');
	const start = lines.findIndex(line => line.startsWith('| subject |'));
	const rows = lines.slice(start + 2).filter(line => compared.has(line.split('|', 2)[1]?.trim() ?? ''));
	const kept = [lines.filter(line => line.startsWith('Measured ')), [...lines.slice(start, start + 2), ...rows], lines.filter(line => line.startsWith('!['))];
	return section(kept.map(part => part.join('\n')).join('\n\n'));
}

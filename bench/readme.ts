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

/** The readme with the part of the results in place of its own. Its links are as from the folder above. */
export function replaceSection(readme: string, results: string): string {
	return readme.replace(sectionOf(readme), () => sectionOf(results).replaceAll('](hits.svg)', '](bench/hits.svg)'));
}

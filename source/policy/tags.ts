import {fieldLines, trimSpace, type Fields} from './fields.ts';

/**
The most tags of one response, those of its headers and of the settings together, each counted once. Every hit looks each of them up; Akamai and Next.js have the same limit.
*/
export const maxTags = 128;

/** The most characters (UTF-16 code units) of one tag, as in Next.js. */
export const maxTagLength = 256;

/** Whether it is a tag as settings may give it. */
export function isTag(value: unknown): value is string {
	return typeof value === 'string' && value !== '' && value.length <= maxTagLength;
}

/** The tags that a response names itself, each once: `Cache-Tag` parts them by commas, `Surrogate-Key` by white space. */
export function tagsOf(fields: Fields): readonly string[] {
	const names = [
		...fieldLines(fields, 'cache-tag').flatMap(line => line.split(',')),
		...fieldLines(fields, 'surrogate-key').flatMap(line => line.split(/[\t ]/v)),
	];
	return [...new Set(names.map(name => trimSpace(name)))].filter(name => name !== '');
}

/** Whether one response may have all of these tags. */
export function areTagsBounded(tags: readonly string[]): boolean {
	return tags.every(tag => isTag(tag)) && (tags.length <= maxTags || new Set(tags).size <= maxTags);
}

import {fieldLines, type Fields} from './fields.ts';

/** The tags that a response names itself: `Cache-Tag` parts them by commas, `Surrogate-Key` by white space. */
export function tagsOf(fields: Fields): string[] {
	const names = [
		...fieldLines(fields, 'cache-tag').flatMap(line => line.split(',')),
		...fieldLines(fields, 'surrogate-key').flatMap(line => line.split(/\s+/v)),
	];
	return names.map(name => name.trim()).filter(name => name !== '');
}

import {SettingError} from '../errors.ts';
import {
	boolean,
	isToken,
	secret,
	setOf,
	text,
	type Parse,
	type Parsers,
} from '../parse.ts';
import {compileIgnored} from './credentials.ts';
import type {IdentitySettings} from './key-parts.ts';

export const headerNameSet: Parse<ReadonlySet<string>> = setOf('a header name', name => isToken(name) ? name.toLowerCase() : undefined);

/** How the settings that a key depends on are parsed. */
export const keyParsers: Parsers<Partial<IdentitySettings> & {readonly partitionSecret?: string | Uint8Array}> = {
	matchHeaders: {
		allowed: 'a boolean or an array of header names',
		parse(value, path) {
			if (typeof value === 'boolean') {
				return value;
			}

			const names = headerNameSet(value, path);
			return names && Object.freeze([...names]);
		},
	},
	ignoredParameters: {
		allowed: 'an array or a Set of parameters',
		parse(value, path) {
			if (!Array.isArray(value) && !(value instanceof Set)) {
				return undefined;
			}

			const items = [...value as Iterable<unknown>];
			const ignored = compileIgnored(items);
			if (typeof ignored === 'number') {
				throw new SettingError(`${path}[${ignored}]`, items[ignored], 'a name, a RegExp or a JSON path such as `\'$.user.token\'`');
			}

			return ignored;
		},
	},
	contentRootKey: text,
	partitionBy: {
		allowed: '`\'credentials\'`, `false` or a function `(request) => string`',
		parse: value => value === 'credentials' || value === false || typeof value === 'function' ? value as IdentitySettings['partitionBy'] : undefined,
	},
	partitionSecret: secret,
	cacheControl: boolean,
};

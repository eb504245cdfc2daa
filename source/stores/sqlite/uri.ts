import process from 'node:process';
import {SettingError} from '../../errors.ts';

export type SqliteUri = {
	/** The path, or the name of what is in memory. */
	readonly name: string;
	readonly mode: 'ro' | 'rw' | 'rwc' | 'memory';

	/** What SQLite is given besides, such as `nolock=1`. */
	readonly parameters: URLSearchParams;
};

const modes: readonly string[] = ['ro', 'rw', 'rwc', 'memory'] satisfies ReadonlyArray<SqliteUri['mode']>;

/**
A `file:` URI as SQLite has it, where a path may be relative; `undefined` for a path. See https://www.sqlite.org/uri.html

@throws {SettingError} For another host, a wrong `mode` and a wrong escape.
*/
export function parseSqliteUri(path: unknown): SqliteUri | undefined {
	const groups = typeof path === 'string' ? /^file:(?:\/\/(?<host>[^#\/?]*)(?=\/))?(?<name>[^#?]*)(?:\?(?<query>[^#]*))?/v.exec(path)?.groups : undefined;
	if (groups === undefined) {
		return undefined;
	}

	const {host = '', query = ''} = groups;
	const parameters = new URLSearchParams(query);
	const name = decoded(groups.name!);
	const mode = name === ':memory:' ? 'memory' : parameters.get('mode') ?? (parameters.get('immutable') === '1' ? 'ro' : 'rwc');
	if (name === undefined || !['', 'localhost'].includes(host) || !modes.includes(mode)) {
		throw new SettingError('path', path, 'a `file:` URI without a host, with percent-encoding and a `mode` of `ro`, `rw`, `rwc` or `memory`');
	}

	parameters.delete('mode');
	return {name: process.platform === 'win32' ? name.replace(/^\/(?=[a-z]:)/iv, '') : name, mode: mode as SqliteUri['mode'], parameters};
}

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}

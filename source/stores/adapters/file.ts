import {driver} from '../server-options.ts';
import {NamedAdapter} from './named-adapter.ts';
import {checkTypes, type AdapterOptions} from './options.ts';

export type KeyvFileOptions = AdapterOptions & {
	/**
	The folder, or with `separatedFile: false` the file. Default: the cache's name and `.keyv`, in the working directory.
	*/
	readonly filename?: string;

	/**
	Whether each entry has a file of its own, which several processes may write, and of which a killed process harms one. `false` keeps all in one file, which each process reads once and writes as a whole: what another one wrote is lost, and all of it where the process is killed in the middle. Use `false` only to read what is there. Default: `true`.
	*/
	readonly separatedFile?: boolean;

	/**
	Milliseconds for which writes to the one file are gathered. Default: 100.
	*/
	readonly writeDelay?: number;

	/**
	Milliseconds between two searches for what has expired. Default: 24 hours.
	*/
	readonly expiredCheckDelay?: number;
};

/**
The adapter of `keyv-file`.

@throws {TypeError} Where an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package is missing.
*/
export function keyvFile({
	cacheName, filename = `${cacheName}.keyv`, separatedFile = true, writeDelay = 100, expiredCheckDelay = 86_400_000,
}: KeyvFileOptions & {readonly cacheName: string}): NamedAdapter {
	checkTypes({
		filename, separatedFile, writeDelay, expiredCheckDelay,
	}, {
		filename: 'text', separatedFile: 'switch', writeDelay: 'milliseconds', expiredCheckDelay: 'milliseconds',
	});
	const load = driver('keyv-file', 'keyv-file', () => import('keyv-file'));
	return new NamedAdapter('keyv-file', async () => {
		const module = await load();
		return new module.KeyvFile({
			filename, separatedFile, writeDelay, expiredCheckDelay, ...separatedFile && {serialize: JSON.stringify, deserialize},
		});
	}, {separatedFile, expiredCheckDelay});
}

/** A file that was cut, by a process that was killed, is a miss. By itself the adapter prints it. */
function deserialize(text: string | Uint8Array): unknown {
	try {
		return JSON.parse(text.toString());
	} catch {
		return undefined;
	}
}

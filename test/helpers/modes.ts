import path from 'node:path';
import type {CacheSettings} from '../../source/index.ts';
import {readStream, type createClient} from './clients.ts';
import {byOrigin} from './dated.ts';

/** Request headers. */
export type Headers = Readonly<Record<string, string | string[]>>;

export type Client = ReturnType<typeof createClient>['client'];

/** Returns the body of a response, by the promise API or the stream API. */
export async function read(client: Client, url: string, headers: Headers, isStream: boolean): Promise<string> {
	return isStream ? readStream(client.stream(url, {headers})) : client(url, {headers}).text();
}

/** Settings of the default mode. */
export const byUser = {expireAfter: 60};

/** The settings of both modes, by name. */
export const bothModes: ReadonlyArray<readonly [name: string, settings: CacheSettings]> = [['byOrigin', byOrigin], ['byUser', byUser]];

/** The default settings, and those with which the origin decides, by the name of a test. */
export const modes: ReadonlyArray<readonly [mode: string, settings: CacheSettings]> = [['default settings', {}], ['cacheControl: true', byOrigin]];

/** The same, and with all request headers in the cache key. */
export const modesWithHeaders: typeof modes = [...modes, ['matchHeaders: true', {matchHeaders: true}]];

/** A synchronous store, an asynchronous one, and one in a file of a folder. */
export const storesIn: ReadonlyArray<readonly [name: string, settings: (folder: string) => CacheSettings]> = [
	['memory', () => ({store: 'memory'})],
	['a Map', () => ({store: new Map()})],
	['SQLite', folder => ({store: 'sqlite', cacheName: path.join(folder, 'cache')})],
];

/** Options for responses with an error status. */
export const plain = {throwHttpErrors: false};

/** Headers of a response that is fresh for a minute. */
export const fresh = {'cache-control': 'max-age=60'};

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

/** The default settings, under which the user decides. */
export const byUser = {expireAfter: 60};

/** The settings of both policy sources, by name. */
export const bothModes: ReadonlyArray<readonly [name: string, settings: CacheSettings]> = [['byOrigin', byOrigin], ['byUser', byUser]];

/** Options for responses with an error status. */
export const plain = {throwHttpErrors: false};

/** Headers of a response that is fresh for a minute. */
export const fresh = {'cache-control': 'max-age=60'};

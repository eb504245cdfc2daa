import type {CacheCore} from '../cache/core.ts';
import {CacheHooksError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl} from '../identity/references.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {ExchangeSettings} from './settings.ts';

/** The maximum number of requests of a cache that are compared. */
const maxCompared = 10_000;

/** The keys of requests with their credentials, by the keys without: one for each, since the second one is reported. */
const known = new WeakMap<CacheCore, Map<string, string | undefined>>();

/**
Reports, once for each request of a cache with a `mode`, that two credentials share one recording: with `partitionBy: false`, one user would get what was recorded for another.

Nothing of a credential is kept but a keyed digest, in the memory of this process.
*/
export function reportSharedRecording(cache: CacheCore, settings: ExchangeSettings, request: SentRequest, key: string): void {
	// A key of the user's own may leave out more than credentials.
	const isShared = settings.partitionBy === false && settings.keyFn === undefined;
	if (isShared) {
		void compare(cache, settings, request, key);
	}
}

async function compare(cache: CacheCore, settings: ExchangeSettings, request: SentRequest, key: string): Promise<void> {
	const own = await keyWithCredentials(settings, request);
	const keys = known.get(cache) ?? new Map<string, string | undefined>();
	known.set(cache, keys);
	if (keys.size === maxCompared && !keys.has(key)) {
		return;
	}

	const other = keys.has(key) ? keys.get(key) : own;
	keys.set(key, other === own ? own : undefined);
	if (own === undefined || other === undefined || other === own) {
		return;
	}

	const url = redactUrl(request.targetUrl, settings.ignoredParameters);
	cache.events.emit('settingError', {
		setting: 'partitionBy',
		error: new CacheHooksError('ERR_SHARED_RECORDING', `\`${request.method} ${url}\` was requested with two credentials, and with \`partitionBy: false\` both have one recording. If they belong to two users, let \`partitionBy\` return the name of the user.`),
	});
}

async function keyWithCredentials(settings: ExchangeSettings, request: SentRequest): Promise<string | undefined> {
	try {
		return await identify(request, {...settings, partitionBy: 'credentials'}).key(settings.secret);
	} catch {
		// Without the secret of the cache, nothing is known of the credentials.
		return undefined;
	}
}

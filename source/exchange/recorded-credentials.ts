import type {CacheCore} from '../cache/core.ts';
import {CacheHooksError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl} from '../identity/references.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {ExchangeSettings} from './settings.ts';

/** The keys of requests with their credentials, by the keys without: one for each, since the second one is reported. */
const known = new WeakMap<CacheCore, Map<string, string | undefined>>();

/**
Reports, once for each request, that two credentials share one recording: with `partitionBy: false`, one user would get what was recorded for another.

Nothing of a credential is kept but a keyed digest, in the memory of this process.
*/
export async function reportSharedRecording(cache: CacheCore, settings: ExchangeSettings, request: SentRequest, key: string): Promise<void> {
	// A key of the user's own may leave out more than credentials.
	if (settings.mode === undefined || settings.mode === 'replay' || settings.partitionBy !== false || settings.keyFn !== undefined) {
		return;
	}

	let keys = known.get(cache);
	if (keys === undefined) {
		keys = new Map();
		known.set(cache, keys);
	}

	const own = await identify(request, {...settings, partitionBy: 'credentials'}).key(settings.secret);
	const other = keys.has(key) ? keys.get(key) : own;
	keys.set(key, other === own ? own : undefined);
	if (other !== undefined && other !== own) {
		const url = redactUrl(request.targetUrl, settings.ignoredParameters);
		cache.events.emit('settingError', {
			setting: 'partitionBy',
			error: new CacheHooksError('ERR_SHARED_RECORDING', `\`${request.method} ${url}\` was requested with two credentials, and with \`partitionBy: false\` both have one recording. If they belong to two users, let \`partitionBy\` return the name of the user.`),
		});
	}
}

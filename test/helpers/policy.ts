import type {Expiration} from '../../source/policy/expiration.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {requestFacts, type RequestFacts} from '../../source/policy/facts.ts';
import {noRecording} from '../../source/policy/modes.ts';
import type {PolicySettings, StoredHead} from '../../source/policy/types.ts';

/** A moment to stand at; the tables count from it. */
export const start = 1_700_000_000_000;
export const minute = 60_000;
export const hour = 3_600_000;

export const fiveMinutes: Expiration = {kind: 'after', milliseconds: 5 * minute};

const defaults: PolicySettings = {
	recording: noRecording,
	disabled: false,
	readOnly: false,
	onlyIfCached: false,
	alwaysRevalidate: false,
	refresh: false,
	forceRefresh: false,
	cacheControl: false,
	jitter: 0,
	cacheControlTargets: [],
	gatewayTimeout: 'error',
	allowableCodes: new Set([200]),
	allowableMethods: new Set(['GET', 'HEAD']),
	staleIfError: 0,
	staleWhileRevalidate: 0,
	ttlOffset: hour,
	expireAfter: fiveMinutes,
	requestExpireAfter: undefined,
	urlsExpireAfter: [],
};

export type RequestCase = {
	readonly method?: string;
	readonly override?: string;
	readonly url?: string;
	readonly fields?: Fields;
	readonly keyable?: boolean;
	readonly settings?: Partial<PolicySettings>;
};

export function facts({method = 'GET', override, url = 'https://example.com/', fields = {}, keyable = true, settings = {}}: RequestCase = {}): RequestFacts {
	return requestFacts({
		method, override, url, fields, keyable,
	}, {...defaults, ...settings});
}

/** The settings of a client with `cacheControl: true` and nothing else. */
export const byOrigin: Partial<PolicySettings> = {cacheControl: true, allowableCodes: undefined, expireAfter: undefined};

/** Returns a `Cache-Tag` with a number of tags. */
export function tags(length: number): string {
	return Array.from({length}, (_, index) => index).join(', ');
}

/** A response stored at `start`, fresh for five minutes by default. */
export function storedHead(own: Partial<StoredHead> = {}): StoredHead {
	return {
		statusCode: 200,
		method: 'GET',
		fields: {},
		createdAt: start,
		initialAge: 0,
		expires: start + (5 * minute),
		byteLength: 10,
		...own,
	};
}

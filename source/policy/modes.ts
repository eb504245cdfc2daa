import type {PolicySettings} from './types.ts';

/** What a cache is to tests: where recordings come from, and whether anything may be sent. */
export type Mode = 'record' | 'replay' | 'record-missing';

class Everything<Item> extends Set<Item> {
	override has(): boolean {
		return true;
	}
}

const recording = {
	cacheControl: false,
	allowableCodes: new Everything<number>(),
	allowableMethods: new Everything<string>(),
	alwaysRevalidate: false,
	refresh: false,
	forceRefresh: false,
	staleIfError: 0,
	staleWhileRevalidate: 0,
	expireAfter: {kind: 'never'},
	requestExpireAfter: undefined,
	urlsExpireAfter: [],
	jitter: 0,
} as const satisfies Partial<PolicySettings>;

const byMode: Readonly<Record<Mode, Partial<PolicySettings>>> = {
	record: {...recording, forceRefresh: true},
	'record-missing': recording,
	replay: {
		...recording,
		onlyIfCached: true,
		readOnly: true,
		// What was stored otherwise may have expired.
		staleIfError: Infinity,
	},
};

/** What a mode says in place of the settings: whatever comes is recorded, by any method, and for good. */
export function settingsOfMode(mode: Mode | undefined): Partial<PolicySettings> {
	return mode === undefined ? {} : byMode[mode];
}

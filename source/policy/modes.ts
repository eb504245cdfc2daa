import type {PolicySettings} from './types.ts';

/** The use of a cache as a test fixture: `record` sends every request, `record-missing` sends those without a recording, `replay` sends none. */
export type Mode = 'record' | 'replay' | 'record-missing';

/** A mode with its options. */
export type ModeOptions = {
	/** The mode. */
	readonly name: Mode;

	/**
	Whether a recording answers any number of equal requests. With `false`, equal requests are recorded one by one, and each recording is replayed once, in the recorded order. Default: `true`.
	*/
	readonly allowPlaybackRepeats?: boolean | undefined;
};

/** What differs between a cache with a mode, which keeps recordings, and one without. What the settings can say is in `settingsOfMode`. */
export type RecordingRules = {
	/** Whether a request without a recording fails, also if the cache is disabled. */
	readonly failsWithoutRecording: boolean;

	/** Whether two credentials that share a recording are reported: with `partitionBy: false`, one user would get what was recorded for another. */
	readonly reportsSharedCredentials: boolean;

	/** Whether a response is stored although RFC 6585 or `Vary: *` forbids it: a recording is found by its request. */
	readonly storesForbidden: boolean;

	/** Whether the directives of a request, such as `no-cache`, do not count. */
	readonly ignoresDirectives: boolean;

	/** Whether recordings differ only by the request headers that choose the content, of those in `Vary`. */
	readonly variesByContent: boolean;

	/** Whether the recording of a HEAD comes before that of the GET. */
	readonly separatesHead: boolean;

	/** Whether a recording answers the request of any client: TLS settings, the cookies of a jar and those of redirects do not count. */
	readonly ignoresConnection: boolean;

	/** Whether each request waits for the store and asks it, also after faults. Without its store a mode is of no use. */
	readonly waitsForStore: boolean;

	/** Whether a store in a folder keeps files that people read, with the permissions of the umask. */
	readonly keepsReadableFiles: boolean;

	/** Whether a hit may be served before Got begins. */
	readonly allowsFastHits: boolean;

	/** Whether a stored response answers any number of equal requests. */
	readonly allowsRepeats: boolean;
};

/** Without a mode. */
export const noRecording: RecordingRules = Object.freeze({
	failsWithoutRecording: false,
	reportsSharedCredentials: false,
	storesForbidden: false,
	ignoresDirectives: false,
	variesByContent: false,
	separatesHead: false,
	ignoresConnection: false,
	waitsForStore: false,
	keepsReadableFiles: false,
	allowsFastHits: true,
	allowsRepeats: true,
});

const recording: RecordingRules = {
	failsWithoutRecording: false,
	reportsSharedCredentials: true,
	storesForbidden: true,
	ignoresDirectives: true,
	variesByContent: true,
	separatesHead: true,
	ignoresConnection: true,
	waitsForStore: true,
	keepsReadableFiles: true,
	allowsFastHits: false,
	allowsRepeats: true,
};

class Everything<Item> extends Set<Item> {
	override has(): boolean {
		return true;
	}
}

const overridden = {
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

type SettingsOfMode = Partial<PolicySettings> & {readonly recording: RecordingRules};

const byMode: Readonly<Record<Mode, SettingsOfMode>> = {
	record: {...overridden, recording, forceRefresh: true},
	'record-missing': {...overridden, recording},
	replay: {
		...overridden,
		recording: {...recording, failsWithoutRecording: true, reportsSharedCredentials: false},
		onlyIfCached: true,
		readOnly: true,
		// Responses that were not stored by `record` may have expired.
		staleIfError: Infinity,
	},
};

const withoutMode: SettingsOfMode = Object.freeze({recording: noRecording});

/** The settings that a mode overrides, and its rules. Every response is recorded, whatever its method and status, and never expires. */
export function settingsOfMode(mode: ModeOptions | undefined): SettingsOfMode {
	if (mode === undefined) {
		return withoutMode;
	}

	const settings = byMode[mode.name];
	return {...settings, recording: {...settings.recording, allowsRepeats: mode.allowPlaybackRepeats !== false}};
}

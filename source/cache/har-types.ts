/** A name and its value, as HAR lists headers and query parameters. */
export type HarPair = {
	name: string;
	value: string;
};

export type HarRequest = {
	method: string;
	url: string;
	httpVersion: string;
	cookies: never[];
	headers: HarPair[];
	queryString: HarPair[];
	postData?: {mimeType: string; text: string};
	headersSize: number;
	bodySize: number;

	/** Whether it had a body that is not stored: what it answers cannot be told from the archive. */
	_bodyNotStored?: true;

	/** A digest of the TLS settings that decided whom it believed, where they were not the defaults. */
	_trust?: string;
};

export type HarResponse = {
	status: number;
	statusText: string;
	httpVersion: string;
	cookies: never[];
	headers: HarPair[];
	content: {size: number; mimeType: string; text: string; encoding?: 'base64'};
	redirectURL: string;
	headersSize: number;
	bodySize: number;
};

export type HarEntry = {
	startedDateTime: string;

	/** Milliseconds. */
	time: number;
	request: HarRequest;
	response: HarResponse;
	cache: Record<string, never>;
	timings: {send: number; wait: number; receive: number};
};

/**
An HTTP archive, version 1.2, as this library writes it.
*/
export type Har = {
	log: {
		version: '1.2';
		creator: {name: string; version: string};
		entries: HarEntry[];
	};
};

import {Buffer} from 'node:buffer';
import {SettingError} from '../errors.ts';
import {describedRequest, type DescribedRequest, type SentRequest} from '../identity/sent-request.ts';
import type {CacheCore} from './core.ts';
import type {LongTask} from './recreate-keys.ts';
import {saveResponse, type SaveOptions, type SaveRefusal} from './saving.ts';

/** What an archive says of one exchange, understood. */
type Archived = {
	readonly request: SentRequest;
	readonly took: number;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: string[];
	readonly body: Uint8Array;
};

/** What became of the entries of an archive. */
export type ImportedHar = {
	readonly saved: number;

	/** By their place in the archive. */
	readonly skipped: ReadonlyArray<{readonly index: number; readonly reason: SaveRefusal | 'unusable'}>;
};

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\-]\d\d:?\d\d)$/v;

type Members = Readonly<Record<string, unknown>>;

/** Stores what an archive holds. */
export async function importHar(core: CacheCore, har: unknown, {signal, onProgress, ...options}: SaveOptions & LongTask): Promise<ImportedHar> {
	const skipped: Array<ImportedHar['skipped'][number]> = [];
	const entries = archivedEntries(har);
	for (const [index, entry] of entries.entries()) {
		signal?.throwIfAborted();
		const saved = entry === undefined ? 'unusable' : await saveResponse(core, entry.request, entry, options); // eslint-disable-line no-await-in-loop -- The store is not to be flooded.
		if (typeof saved === 'string') {
			skipped.push({index, reason: saved});
		}

		onProgress?.(index + 1);
	}

	return {saved: entries.length - skipped.length, skipped};
}

/**
The entries of an HTTP archive; `undefined` stands for one that cannot be used: without a response, as browsers write it for a request that failed, or without a body that the request had.

@throws {TypeError} Where it is none: it names the member that is wrong.
*/
function archivedEntries(har: unknown): Array<Archived | undefined> {
	const log = membersOf(membersOf(har, 'har').log, 'har.log');
	textOf(log.version, 'har.log.version');
	const creator = membersOf(log.creator, 'har.log.creator');
	textOf(creator.name, 'har.log.creator.name');
	textOf(creator.version, 'har.log.creator.version');
	return listOf(log.entries, 'har.log.entries').map((entry, index) => archivedEntry(entry, `har.log.entries[${index}]`));
}

function archivedEntry(value: unknown, path: string): Archived | undefined {
	const entry = membersOf(value, path);
	const request = membersOf(entry.request, `${path}.request`);
	const response = membersOf(entry.response, `${path}.response`);
	const startedDateTime = textOf(entry.startedDateTime, `${path}.startedDateTime`);
	if (!isoDate.test(startedDateTime) || Number.isNaN(Date.parse(startedDateTime))) {
		throw new SettingError(`${path}.startedDateTime`, entry.startedDateTime, 'a date and time by ISO 8601');
	}

	const statusCode = numberOf(response.status, `${path}.response.status`);
	if (!Number.isSafeInteger(statusCode)) {
		throw new SettingError(`${path}.response.status`, statusCode, 'a whole number, as in HAR 1.2');
	}

	const archived = {
		request: withTrust(describedRequest(archivedRequest(request, `${path}.request`)), request._trust, `${path}.request._trust`),
		took: numberOf(entry.time, `${path}.time`),
		statusCode,
		statusMessage: textOf(response.statusText, `${path}.response.statusText`),
		rawHeaders: linesOf(response.headers, `${path}.response.headers`),
		body: contentOf(response.content, `${path}.response.content`),
	};
	return archived.statusCode >= 200 && archived.statusCode < 600 && request._bodyNotStored !== true ? archived : undefined;
}

function archivedRequest(request: Members, path: string): DescribedRequest {
	const url = textOf(request.url, `${path}.url`);
	if (!URL.canParse(url)) {
		throw new SettingError(`${path}.url`, url, 'a URL');
	}

	const lines = linesOf(request.headers, `${path}.headers`);
	const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
	for (let index = 0; index < lines.length; index += 2) {
		const name = lines[index]!.toLowerCase();
		// RFC 9113 §8.3: pseudo-headers are no fields; browsers list them.
		if (!name.startsWith(':')) {
			(headers[name] ??= []).push(lines[index + 1]!);
		}
	}

	return {
		method: textOf(request.method, `${path}.method`),
		url,
		headers,
		...(request.postData !== undefined && {body: bodyOf(request.postData, `${path}.postData`)}),
	};
}

function withTrust(request: SentRequest, trust: unknown, path: string): SentRequest {
	return trust === undefined ? request : {...request, trust: textOf(trust, path)};
}

/** Its text, or the parameters of a form. */
function bodyOf(value: unknown, path: string): string {
	const {text, params} = membersOf(value, path);
	return text !== undefined || params === undefined ? textOf(text ?? '', `${path}.text`) : new URLSearchParams(pairsOf(params, `${path}.params`)).toString();
}

function contentOf(value: unknown, path: string): Uint8Array {
	const {size, mimeType, text = '', encoding} = membersOf(value, path);
	numberOf(size, `${path}.size`, -1);
	textOf(mimeType, `${path}.mimeType`);
	return Uint8Array.from(Buffer.from(textOf(text, `${path}.text`), encoding === 'base64' ? 'base64' : 'utf8'));
}

function linesOf(value: unknown, path: string): string[] {
	return pairsOf(value, path).flat();
}

function pairsOf(value: unknown, path: string): Array<[name: string, value: string]> {
	return listOf(value, path).map((item, index) => {
		const pair = membersOf(item, `${path}[${index}]`);
		return [textOf(pair.name, `${path}[${index}].name`), textOf(pair.value ?? '', `${path}[${index}].value`)];
	});
}

function membersOf(value: unknown, path: string): Members {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw new SettingError(path, value, 'an object, as in HAR 1.2');
	}

	return value as Members;
}

function listOf(value: unknown, path: string): unknown[] {
	if (!Array.isArray(value)) {
		throw new SettingError(path, value, 'an array, as in HAR 1.2');
	}

	return value;
}

function textOf(value: unknown, path: string): string {
	if (typeof value !== 'string') {
		throw new SettingError(path, value, 'a string, as in HAR 1.2');
	}

	return value;
}

function numberOf(value: unknown, path: string, least = 0): number {
	if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
		throw new SettingError(path, value, `a number from ${least}, as in HAR 1.2`);
	}

	return value;
}

import {Buffer, isUtf8} from 'node:buffer';
import path from 'node:path';
import type {HttpCache} from '../cache/http-cache.ts';
import {describeBytes, type CachedResponse} from '../entry/cached-response.ts';
import {charsetLabel} from '../entry/serializers/body.ts';
import {Failure, wrongUsage} from './failure.ts';
import {ageOf, freshnessOf, noteUnreadable} from './ls.ts';
import {withCache, type StoreFlags} from './open-cache.ts';
import type {Output} from './output.ts';
import {printableLine, printableText} from './printable.ts';
import {entriesOfUrl, whatDiffers} from './same-url.ts';
import {writeFile} from './write-file.ts';

export type ShowFlags = StoreFlags & {
	/** The path of a file for the body, or `-` for the standard output. */
	readonly output?: string;
	readonly json?: boolean;
};

/** Shows one stored response, or saves its body. */
export async function show(output: Output, store: string, target: string, flags: ShowFlags, signal: AbortSignal): Promise<void> {
	await withCache(store, flags, 'read', async cache => {
		const response = await find(output, cache, target, signal);
		if (flags.output === '-') {
			await writeBody(output, response.body);
		} else if (flags.output !== undefined) {
			await writeFile(flags.output, response.body, cache);
			output.note(`Saved ${describeBytes(response.body.byteLength)} to ${path.resolve(flags.output)}.`);
		} else if (flags.json === true) {
			await output.json({...response.toJSON(), ...bodyJson(response.body)});
		} else {
			await print(output, response);
		}
	});
}

/** Writes bytes for another program. */
export async function writeBody(output: Output, body: Uint8Array): Promise<void> {
	if (output.isTerminal) {
		throw wrongUsage('A body may have bytes that a terminal takes for commands. Pipe the output to a program, or name a file.');
	}

	await output.write(body);
}

/** Finds a response by its key or its URL. Without the settings of the program, a URL alone may not give the key: then the only entry with this URL is the one. */
async function find(output: Output, cache: HttpCache, target: string, signal: AbortSignal): Promise<CachedResponse> {
	const byKey = await cache.get({key: target});
	if (byKey !== undefined) {
		return byKey;
	}

	if (!URL.canParse(target)) {
		throw new Failure(`No entry has the key \`${target}\`. Give a key as \`ls --json\` shows it, or a URL with its scheme.`);
	}

	const isResult = target.startsWith('call:');
	const response = isResult ? undefined : await cache.get({url: target});
	if (response !== undefined) {
		return response;
	}

	const {same, unreadable} = await entriesOfUrl(cache, target, signal);
	const [only, ...others] = same;
	if (only === undefined) {
		noteUnreadable(output, unreadable);
		throw new Failure(`No response is stored for \`${isResult ? target : new URL(target).origin + new URL(target).pathname}\`. \`ls\` shows what is.`);
	}

	if (others.length > 0) {
		throw new Failure(`${others.length + 1} responses are stored for this URL. Give the key of one: ${[only, ...others].slice(0, 5).map(entry => `${entry.cacheKey} (${whatDiffers(entry)})`).join(', ')}`);
	}

	return only;
}

async function print(output: Output, response: CachedResponse): Promise<void> {
	const {statusCode, statusMessage, createdAt, expires, tags, request, cacheKey, size} = response;
	const title = (text: string): string => output.styled('bold', text);
	const freshness = expires === undefined ? 'never stale' : `${response.isExpired ? 'stale since' : 'fresh until'} ${expires.toISOString()} (${freshnessOf(response)})`;
	await output.line(title(printableLine(`${response.method} ${response.url}`)));
	await output.line(printableLine(`${statusCode} ${statusMessage}`.trim()));
	await output.line(`received ${createdAt.toISOString()} (${ageOf(response)} ago)${response.revalidated ? ', validated since' : ''}, ${freshness}`);
	await output.line(printableLine(`key ${cacheKey}, ${describeBytes(size)}${tags.length === 0 ? '' : `, tags ${tags.join(', ')}`}`));
	if (request !== undefined) {
		await output.line(`\n${title('Request')}`);
		await output.line(printableLine(`${request.method} ${request.url}`));
		await printHeaders(output, request.headers);
		if (request.body !== undefined) {
			await output.line(`\n${printableText(request.body)}`);
		}
	}

	await output.line(`\n${title('Response')}`);
	await printHeaders(output, response.headers);
	await output.line(`\n${bodyText(response)}`);
}

export async function printHeaders(output: Output, headers: CachedResponse['headers']): Promise<void> {
	for (const [name, values] of Object.entries(headers)) {
		for (const value of [values].flat()) {
			await output.line(`${output.styled('cyan', printableLine(name))}: ${printableLine(value)}`); // eslint-disable-line no-await-in-loop -- In their order.
		}
	}
}

function bodyText({body, headers}: CachedResponse): string {
	if (body.byteLength === 0) {
		return '(no body)';
	}

	const type = String(headers['content-type'] ?? '');
	const text = decoded(body, type);
	return text === undefined ? `(${describeBytes(body.byteLength)}${type === '' ? '' : ` of ${printableLine(type)}`}, which are no text. Save them by \`--output <file>\`.)` : printableText(/\bjson\b/iv.test(type) ? prettyJson(text) : text).replace(/\n$/v, '');
}

/** Returns a body as text, if it is text. */
function decoded(body: Uint8Array, type: string): string | undefined {
	if (isUtf8(body)) {
		return body.includes(0) ? undefined : new TextDecoder().decode(body);
	}

	const charset = charsetLabel(type);
	try {
		return charset === undefined ? undefined : new TextDecoder(charset, {fatal: true}).decode(body);
	} catch {
		return undefined;
	}
}

type Reviver = (key: string, value: unknown, context: {readonly source?: string}) => unknown;

/** Returns JSON with line breaks. Numbers stay as they are written, also those that JavaScript cannot hold. */
function prettyJson(text: string): string {
	const {rawJSON: raw} = JSON as typeof JSON & {readonly rawJSON?: (source: string) => unknown}; // eslint-disable-line @typescript-eslint/naming-convention -- The name in JavaScript.
	const asWritten: Reviver = (_key, value, {source}) => typeof value === 'number' && source !== undefined && raw !== undefined ? raw(source) : value;
	try {
		return JSON.stringify(JSON.parse(text, asWritten as (key: string, value: unknown) => unknown), undefined, 2);
	} catch {
		return text;
	}
}

/** Returns a body as a HAR archive has it: as text, or as base64. */
function bodyJson(body: Uint8Array): object {
	return isUtf8(body) ? {body: new TextDecoder().decode(body)} : {body: Buffer.from(body).toString('base64'), encoding: 'base64'};
}

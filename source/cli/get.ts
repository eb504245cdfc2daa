import type {Got, Response} from 'got';
import type {CacheSettings} from '../settings/settings.ts';
import {cacheHooks} from '../got/cache-hooks.ts';
import {cacheInfo} from '../got/cache-info.ts';
import {HttpCache} from '../cache/http-cache.ts';
import type {DescribedRequest} from '../identity/sent-request.ts';
import {requestOf, type RequestFlags} from './explain.ts';
import {Failure, messageOf, wrongUsage} from './failure.ts';
import {
	closing,
	settingsOf,
	storeSettings,
	type StoreFlags,
} from './open-cache.ts';
import type {Output} from './output.ts';
import {printableLine, printableText} from './printable.ts';
import {expirationOf} from './selection.ts';
import {printHeaders, writeBody} from './show.ts';
import {writeFile} from './write-file.ts';

export type GetFlags = StoreFlags & RequestFlags & {
	readonly expireAfter?: string;
	readonly cacheControl?: boolean;
	readonly refresh?: boolean;
	readonly include?: boolean;
	readonly output?: string;
};

/** Sends a GET request through a cache, and writes the body. */
export async function get(output: Output, text: string, url: string, flags: GetFlags, signal: AbortSignal): Promise<void> {
	const {headers} = requestOf(url, flags);
	const {protocol} = new URL(url);
	if (protocol !== 'http:' && protocol !== 'https:') {
		throw wrongUsage(`A URL of \`${protocol}\` cannot be requested, but those of \`http:\` and \`https:\`.`);
	}

	// The bounds of a store hold where the program opens it.
	const {maxBytes: _maxBytes, maxEntries: _maxEntries, ...given} = await settingsOf(flags);
	const own: CacheSettings = {
		...(flags.expireAfter !== undefined && {expireAfter: expirationOf(flags.expireAfter)}),
		...(flags.cacheControl === true && {cacheControl: true}),
	};
	const store = await storeSettings(text, flags, given, 'make');
	await closing(new HttpCache({...given, ...own, ...store}), async cache => {
		await write(output, cache, await send(output, cache, url, {...flags, headers, signal}), flags);
	});
}

type Sending = GetFlags & {readonly headers: DescribedRequest['headers']; readonly signal: AbortSignal};

async function send(output: Output, cache: HttpCache, url: string, {headers, refresh, signal}: Sending): Promise<Response<Uint8Array>> {
	const faults = new Set<string>();
	cache.on('storeError', ({error}) => {
		const message = messageOf(error);
		if (!faults.has(message)) {
			output.note(`got-cache-hooks: The store failed, and the request goes on without it. ${message}`);
		}

		faults.add(message);
	});
	const got = await loadGot();
	const client = got.extend(cacheHooks({cache}));
	return client(url, {
		headers: headers as Record<string, string>, responseType: 'buffer', throwHttpErrors: false, retry: {limit: 0}, signal, context: {cache: {refresh: refresh === true}},
	});
}

async function write(output: Output, cache: HttpCache, response: Response<Uint8Array>, flags: GetFlags): Promise<void> {
	const {fromCache, reason} = cacheInfo(response);
	if (flags.include === true) {
		await output.line(printableLine(`${response.statusCode} ${response.statusMessage ?? ''}`));
		await printHeaders(output, response.headers as Record<string, string>);
		await output.line();
	}

	if (flags.output === undefined) {
		// A file or a program gets the bytes, and a person what is safe to see.
		await output.write(output.isTerminal ? printableText(new TextDecoder().decode(response.rawBody)) : response.rawBody);
	} else if (flags.output === '-') {
		await writeBody(output, response.rawBody);
	} else {
		await writeFile(flags.output, response.rawBody, cache);
	}

	if (output.showsProgress) {
		output.note(output.styled('dim', `${fromCache ? 'From the cache' : 'From the origin'}: ${reason}`));
	}

	if (response.statusCode >= 400) {
		throw new Failure(`The answer is ${response.statusCode} ${response.statusMessage ?? ''}`.trim());
	}
}

async function loadGot(): Promise<Got> {
	try {
		const {default: got} = await import('got');
		return got;
	} catch (error) {
		throw new Failure(`\`get\` needs Got. Install it by \`npm install got\`. (${messageOf(error)})`);
	}
}

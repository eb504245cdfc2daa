import type {Got, Response} from 'got';
import {cacheInfo, type CacheInfo} from '../../source/index.ts';
import type {Step} from './steps.ts';
import type {Row} from './table.ts';

export type Outcome = {
	readonly row: Row;

	/** `undefined` where there was no response. */
	readonly info: CacheInfo | undefined;
};

/**
Sends one request and says what became of it. A failure is an outcome, too.
*/
export async function ask(client: Got, step: Step): Promise<Outcome> {
	const start = performance.now();
	try {
		const response = await send(client, step);
		const milliseconds = performance.now() - start;
		const info = cacheInfo(response);
		const row = {
			request: step.request,
			status: String(response.statusCode),
			cache: response.isFromCache ? 'hit' : 'miss',
			reason: info.reason,
			milliseconds,
			note: describe(step, info),
		};
		return {row, info};
	} catch (error) {
		const {code = 'ERROR', message} = error as Error & {code?: string};
		const row = {
			request: step.request,
			status: 'failed',
			cache: '–',
			reason: code,
			milliseconds: performance.now() - start,
			note: message,
		};
		return {row, info: undefined};
	}
}

function describe({note}: Step, {reason, stored}: CacheInfo): string {
	const isKept = [undefined, 'stored', reason].includes(stored);
	return [note, isKept ? '' : `not stored: ${stored}`].filter(Boolean).join('; ');
}

async function send(client: Got, {url, method = 'GET', isStream, cache}: Step): Promise<Response> {
	const options = {method, context: {cache}};
	if (!isStream) {
		return client(url, options);
	}

	const stream = client.stream(url, options);
	let response: Response | undefined;
	stream.once('response', (received: Response) => {
		response = received;
	});
	stream.resume();
	await new Promise<void>((resolve, reject) => {
		stream.once('end', resolve);
		stream.once('error', reject);
	});
	return response!;
}

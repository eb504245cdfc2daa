import type {IncomingMessage} from 'node:http';
import type {Engine} from '../exchange/engine.ts';
import type {Exchange} from '../exchange/exchange.ts';
import {appendCacheStatus} from '../policy/cache-status.ts';
import {collectBody} from './collect-body.ts';
import {ServedResponse} from './served-response.ts';

/**
Gives the response to the exchange, and what the exchange gives to the caller: the response with its body being copied, or a stored one in its place.
*/
export function receive(response: IncomingMessage, exchange: Exchange, engine: Engine, retries = false): IncomingMessage | ServedResponse | 'resend' {
	try {
		return answer(response, exchange, retries);
	} catch (error) {
		exchange.leave();
		engine.cache.report('internalError', {error});
		return response;
	}
}

function answer(response: IncomingMessage, exchange: Exchange, retries: boolean): IncomingMessage | ServedResponse | 'resend' {
	const decision = exchange.respond({
		statusCode: response.statusCode!,
		statusMessage: response.statusMessage ?? '',
		rawHeaders: response.rawHeaders ?? toRawHeaders(response.headers),
	}, retries);

	switch (decision.do) {
		case 'pass': {
			tellStatus(response, decision.status);
			return response;
		}

		case 'collect': {
			tellStatus(response, decision.status);
			collectBody(response, exchange.maxEntryBytes, {
				commit(body) {
					exchange.commit(body);
				},
				abandon(reason) {
					exchange.abandon(reason);
				},
				progress() {
					exchange.progress();
				},
			});
			return response;
		}

		case 'resend': {
			discard(response);
			return 'resend';
		}

		case 'serve': {
			discard(response);
			return new ServedResponse(decision.response);
		}

		default: {
			return decision satisfies never;
		}
	}
}

/** Nobody reads it any more; its connection is freed when it ends. */
function discard(response: IncomingMessage): void {
	response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	response.resume();
}

/** The origin's response is given as it came, but for what this cache says of it. */
function tellStatus(response: IncomingMessage, status: string | undefined): void {
	if (status === undefined) {
		return;
	}

	const existing = response.headers['cache-status'];
	response.headers['cache-status'] = appendCacheStatus(Array.isArray(existing) ? existing.join(', ') : existing, status);
	response.rawHeaders.push('Cache-Status', status);
}

function toRawHeaders(headers: IncomingMessage['headers']): string[] {
	return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
}

import type {IncomingMessage} from 'node:http';
import type {Engine} from '../engine/engine.ts';
import type {Exchange} from '../engine/exchange.ts';
import {collectBody} from './collect-body.ts';
import {ServedResponse} from './served-response.ts';

/**
Gives the response to the exchange, and what the exchange gives to the caller: the response with its body being copied, or a stored one in its place.
*/
export function receive(response: IncomingMessage, exchange: Exchange, engine: Engine): IncomingMessage | ServedResponse {
	try {
		return answer(response, exchange);
	} catch (error) {
		engine.cache.report('internalError', {error});
		return response;
	}
}

function answer(response: IncomingMessage, exchange: Exchange): IncomingMessage | ServedResponse {
	const decision = exchange.respond({
		statusCode: response.statusCode!,
		statusMessage: response.statusMessage ?? '',
		rawHeaders: response.rawHeaders ?? toRawHeaders(response.headers),
	});

	switch (decision.do) {
		case 'pass': {
			return response;
		}

		case 'collect': {
			collectBody(response, exchange.maxEntryBytes, {
				commit(body) {
					exchange.commit(body);
				},
				abandon(reason) {
					exchange.abandon(reason);
				},
			});
			return response;
		}

		case 'serve': {
			// Nobody reads it any more; its connection is freed when it ends.
			response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
			response.resume();
			return ServedResponse.stored(decision.stored);
		}
	}
}

function toRawHeaders(headers: IncomingMessage['headers']): string[] {
	return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
}

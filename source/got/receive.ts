import {STATUS_CODES, type ClientRequest, type IncomingMessage} from 'node:http';
import type {Exchange} from '../exchange/exchange.ts';
import type {Action} from '../exchange/types.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {appendMember} from '../policy/fields.ts';
import {collectBody} from './collect-body.ts';
import {ServedResponse} from './served-response.ts';

type ReceiveOptions = {
	readonly mayRetry: boolean;

	/** What the response belongs to, where somebody else listens to its failures. */
	readonly request?: ClientRequest | undefined;

	/** Whether the caller has given the request up, so that the end of the body is no fault of the origin. */
	readonly isGivenUp: () => boolean;
};

export type Received = {
	/** The response with its body being copied, or a stored one in its place; `undefined` where the request is to be sent once more. */
	readonly given: IncomingMessage | ServedResponse | undefined;
	readonly awaitsRetries: boolean;
};

/** Tells an exchange of a response, and gives what the caller gets. */
export function receive(response: IncomingMessage, exchange: Exchange, options: ReceiveOptions): MaybePromise<Received> {
	const head = {
		statusCode: response.statusCode!,
		statusMessage: messageOf(response),
		rawHeaders: response.rawHeaders ?? toRawHeaders(response.headers),
	};
	const action = recover(() => exchange.next({type: 'response', head, mayRetry: options.mayRetry}), error => {
		discard(response);
		throw error;
	});
	return then(action, next => answer(next, response, exchange, options));
}

/** As Got gives it: HTTP/2 has none, and HTTP/1.1 may have an empty one. */
function messageOf({statusCode, statusMessage}: IncomingMessage): string {
	return statusMessage === undefined || statusMessage === '' ? STATUS_CODES[statusCode!] ?? '' : statusMessage;
}

function answer(action: Action, response: IncomingMessage, exchange: Exchange, {request, isGivenUp}: ReceiveOptions): Received {
	if (action.do === 'resend') {
		discard(response);
		return {given: undefined, awaitsRetries: false};
	}

	if (action.do === 'serve') {
		discard(response);
		return {given: new ServedResponse(action.response), awaitsRetries: false};
	}

	if (action.do !== 'pass') {
		throw new Error(`A response cannot be answered with \`${action.do}\``);
	}

	tellStatus(response, action.status);
	if (action.collects) {
		collectBody(response, request, exchange.settings.maxEntryBytes, {
			awaitsEnd: exchange.settings.failFast,
			async end(body) {
				await exchange.next({type: 'end', body});
			},
			cut(reason) {
				void exchange.next({type: 'cut', reason, isOwn: isGivenUp()});
			},
			progress(bytes) {
				exchange.progress(bytes);
			},
		});
	}

	return {given: response, awaitsRetries: action.awaitsRetries};
}

/** Nobody reads it any more; its connection is freed when it ends. */
export function discard(response: IncomingMessage): void {
	response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	response.resume();
}

/** The origin's response is given as it came, but for what this cache says of it. */
function tellStatus(response: IncomingMessage, status: string | undefined): void {
	if (status === undefined) {
		return;
	}

	const existing = response.headers['cache-status'];
	response.headers['cache-status'] = appendMember(Array.isArray(existing) ? existing.join(', ') : existing, status);
	response.rawHeaders.push('Cache-Status', status);
}

function toRawHeaders(headers: IncomingMessage['headers']): string[] {
	return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
}

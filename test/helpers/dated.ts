import type {IncomingMessage} from 'node:http';
import type {Clock, Handler} from './origin.ts';

export type Answer = {
	readonly status?: number;

	/** A header that is `undefined` is not sent, not even by Node.js. */
	readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
	readonly body?: string;
};

/** Answers with the date of the client's clock; the default body has the number of the response. */
export function dated(clock: Clock, answer: (request: IncomingMessage, count: number) => Answer): Handler {
	let count = 0;
	return (request, response) => {
		count++;
		const {status = 200, headers = {}, body = `answer ${count}`} = answer(request, count);
		const given = Object.entries({date: httpDate(clock), ...headers}).filter(([, value]) => value !== undefined);
		response.sendDate = given.some(([name]) => name === 'date');
		response.writeHead(status, Object.fromEntries(given));
		response.end([204, 304].includes(status) || request.method === 'HEAD' ? undefined : body);
	};
}

/** Returns the time of the clock plus some seconds, as an HTTP date. */
export function httpDate(clock: Clock, seconds = 0): string {
	return new Date(clock.now() + (seconds * 1000)).toUTCString();
}

/** Settings with which only the origin decides. */
export const byOrigin = {cacheControl: true, expireAfter: undefined} as const;

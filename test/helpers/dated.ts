import type {IncomingMessage} from 'node:http';
import type {Clock, Handler} from './origin.ts';

export type Answer = {
	readonly status?: number;

	/** One that is `undefined` is not sent, not even by Node.js. */
	readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
	readonly body?: string;
};

/** Answers with the date of the client's clock, and with the number of the answer for a body. */
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

/** The moment so many seconds after the clock's, in the form that is preferred. */
export function httpDate(clock: Clock, seconds = 0): string {
	return new Date(clock.now() + (seconds * 1000)).toUTCString();
}

/** The settings with which the origin decides alone. */
export const byOrigin = {cacheControl: true, expireAfter: undefined} as const;

import type {Options} from 'got';
import type {MaybePromise} from '../../maybe-promise.ts';
import type {OutgoingRequest, Step} from '../../exchange/exchange-types.ts';
import type {Exchange} from '../../exchange/exchange.ts';

/** An exchange that has begun, and what it is to do. */
export type Begun = {
	readonly exchange: Exchange;
	readonly step: MaybePromise<Step>;
};

const begun = new WeakMap<Options, Begun>();

/** Leaves the rest of an exchange to the request that Got makes by the same options. */
export function handOver(options: Options, exchange: Begun): void {
	begun.set(options, exchange);
}

/** What was handed over, if the request is still what it was then. */
export function takeOver(options: Options, request: OutgoingRequest): Begun | undefined {
	const given = begun.get(options);
	if (given === undefined) {
		return undefined;
	}

	begun.delete(options);
	return isSame(given.exchange.request, request) ? given : undefined;
}

function isSame(a: OutgoingRequest, b: OutgoingRequest): boolean {
	const names = Object.keys(a.fields);
	return a.method === b.method
		&& a.url === b.url
		&& a.body === b.body
		&& a.trust === b.trust
		&& names.length === Object.keys(b.fields).length
		&& names.every(name => a.fields[name] === b.fields[name]);
}

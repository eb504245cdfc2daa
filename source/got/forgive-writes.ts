import type {ClientRequest} from 'node:http';

/**
Whoever waits for a write or for the end of the request is told of the failure, too, when the socket closes: a stream of Got's would end with an error after it was answered.
*/
export function forgiveWrites(request: ClientRequest, isForgiven: () => boolean): void {
	const forgiving = (argument: unknown): unknown => typeof argument === 'function'
		? (error?: Error | null) => {
			(argument as (error?: Error | null) => void)(isForgiven() ? undefined : error);
		}
		: argument;

	for (const name of ['write', 'end'] as const) {
		const original = request[name] as (...arguments_: unknown[]) => unknown;
		Object.assign(request, {[name]: (...arguments_: unknown[]) => original.apply(request, arguments_.map(argument => forgiving(argument)))});
	}
}

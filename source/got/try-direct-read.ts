import {Buffer} from 'node:buffer';
import {channel} from 'node:diagnostics_channel';
import type {Readable} from 'node:stream';
import type {Progress, Request} from 'got';

/** The channels on which Got would report the trial request. */
const channels = ['request:create', 'request:start', 'response:start', 'response:end', 'request:error'].map(name => channel(`got:${name}`));

/** Returns whether no diagnostics channel would report the trial request. */
export function canTry(): boolean {
	return channels.every(({hasSubscribers}) => !hasSubscribers);
}

/**
Finds out whether Got reads a body directly from a response that says that it has ended, with the same progress events as for a stream. The trial request is never sent.

Got has no version at run time, and one that reads bodies in another way must get a stream. Got 15 reads directly, too, but reports the end before it has read the body.

@param sample - A request of that Got.
@param response - A response that says that it has ended.
@param body - The body of the response.
*/
export async function tryDirectRead(sample: Request, response: Readable, body: Uint8Array): Promise<boolean> {
	let isReadDirectly = false;
	const toArray = response.toArray.bind(response);
	const noteRead = async (): Promise<unknown[]> => {
		isReadDirectly = true;
		return toArray();
	};

	// Requests have an own property `constructor`, which is undefined.
	const {constructor} = Object.getPrototypeOf(sample) as object;
	const request = Reflect.construct(constructor, ['http://localhost', {retry: {limit: 0}}]) as Request;
	// `installCache` replaces the method of the prototype, and this request must not reach a cache.
	Object.defineProperty(request.options, 'getRequestFunction', {value: () => () => Object.assign(response, {toArray: noteRead})});
	// Got's promise API does so.
	request._noPipe = true;
	const progress: number[] = [];
	request.on('downloadProgress', ({percent, transferred}: Progress) => {
		progress.push(percent, transferred);
	});
	const received = await new Promise<Uint8Array | undefined>(resolve => {
		request.once('response', ({rawBody}: {readonly rawBody: Uint8Array | undefined}) => {
			resolve(rawBody);
		});
		request.once('error', () => {
			resolve(undefined);
		});
		void request.flush();
	});
	request.destroy();
	return isReadDirectly && received !== undefined && Buffer.compare(received, body) === 0 && progress.join(' ') === `0 0 1 ${body.byteLength}`;
}

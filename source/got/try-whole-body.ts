import {Buffer} from 'node:buffer';
import {channel} from 'node:diagnostics_channel';
import type {Readable} from 'node:stream';
import type {Progress, Request} from 'got';

/** The channels on which Got would report the request. */
const channels = ['request:create', 'request:start', 'response:start', 'response:end', 'request:error'].map(name => channel(`got:${name}`));

/** Returns whether nobody would see a request that is only tried. */
export function canTry(): boolean {
	return channels.every(({hasSubscribers}) => !hasSubscribers);
}

/**
Tries whether Got takes the body of a response at once by `toArray`, and reports the same progress as for a stream, with a request that is never sent. Got has no version at run time, and a version that reads bodies in another way must get a stream.

@param sample - A request of that Got.
@param response - A response that says that it has ended.
@param body - The body of the response.
*/
export async function tryWholeBody(sample: Request, response: Readable, body: Uint8Array): Promise<boolean> {
	let isTaken = false;
	const toArray = async (): Promise<unknown[]> => {
		isTaken = true;
		return (Object.getPrototypeOf(response) as Readable).toArray.call(response);
	};

	// Requests have an own property `constructor`, which is empty.
	const {constructor} = Object.getPrototypeOf(sample) as object;
	const request = Reflect.construct(constructor, ['http://localhost', {retry: {limit: 0}}]) as Request;
	// A cache that is installed for the whole process replaces the method of the prototype.
	Object.defineProperty(request.options, 'getRequestFunction', {value: () => () => Object.assign(response, {toArray})});
	// Got's promise API does so.
	request._noPipe = true;
	const transferred: number[] = [];
	request.on('downloadProgress', (progress: Progress) => {
		transferred.push(progress.percent, progress.transferred);
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
	return isTaken && received !== undefined && Buffer.compare(received, body) === 0 && transferred.join(' ') === `0 0 1 ${body.byteLength}`;
}

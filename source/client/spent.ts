import type {Readable} from 'node:stream';

/** The state of a stream that was read to its end. Node.js asks no more of it than that. */
const state = {
	ended: true,
	endEmitted: true,
	dataEmitted: true,
	flowing: false,
	closed: true,
	closeEmitted: true,
	destroyed: true,
};

/** Makes a stream what it is once it was read to its end. */
export function markSpent(stream: Readable): void {
	Object.assign((stream as Readable & {_readableState: object})._readableState, state);
}

import type {Readable} from 'node:stream';

type State = Record<'ended' | 'endEmitted' | 'dataEmitted' | 'flowing' | 'closed' | 'closeEmitted' | 'destroyed', boolean>;

/**
Makes a stream what it is once it was read to its end. Node.js asks no more of its state than that.

@param dataEmitted - Whether there was anything to read.
*/
export function markSpent(stream: Readable, dataEmitted = true): void {
	const state = (stream as Readable & {_readableState: State})._readableState;
	state.ended = true;
	state.endEmitted = true;
	state.dataEmitted = dataEmitted;
	state.flowing = false;
	state.closed = true;
	state.closeEmitted = true;
	state.destroyed = true;
}

/** Makes a spent stream one whose end nobody has heard of yet. */
export function markUnheard(stream: Readable): void {
	(stream as Readable & {_readableState: State})._readableState.endEmitted = false;
}

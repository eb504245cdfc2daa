import type {Readable} from 'node:stream';

type State = Record<'ended' | 'endEmitted' | 'dataEmitted' | 'flowing' | 'closed' | 'closeEmitted' | 'destroyed', boolean>;

/** Makes a stream what it is once it was read to its end. Node.js asks no more of its state than that. */
export function markSpent(stream: Readable): void {
	const state = (stream as Readable & {_readableState: State})._readableState;
	state.ended = true;
	state.endEmitted = true;
	state.dataEmitted = true;
	state.flowing = false;
	state.closed = true;
	state.closeEmitted = true;
	state.destroyed = true;
}

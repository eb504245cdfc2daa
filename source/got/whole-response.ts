import {Buffer} from 'node:buffer';
import type {RenderedResponse} from '../exchange/exchange-types.ts';
import {seemAsServed, ServedResponse} from './served-response.ts';
import {markSpent, markUnheard} from './spent.ts';

// What comes in one piece tells of no progress by the way.
const most = 65_536;

/** A stored response for the promise API. */
export function servedAtOnce(rendered: RenderedResponse): ServedResponse {
	const {headers, body: {byteLength}} = rendered;
	const isWhole = byteLength > 0 && byteLength <= most && headers['content-length'] === String(byteLength) && headers['content-encoding'] === undefined;
	return isWhole ? new WholeResponse(rendered) : new ServedResponse(rendered);
}

/**
An answer whose body Got takes at once, as it does with one that has ended before it looks: a stream less, which is a fifth of a hit. It ends when Got begins to listen for what there is to read: Got 15 takes one that has ended before for an empty one, and tells of progress so.

That is not documented by Got. One that reads it as any other stream gets the body, too.
*/
class WholeResponse extends ServedResponse {
	static {
		seemAsServed(this);
	}

	readonly #body: Uint8Array;
	#isTaken = false;

	constructor(rendered: RenderedResponse) {
		super(rendered);
		this.#body = rendered.body;
		markSpent(this);
		markUnheard(this);
	}

	override on(event: string | symbol, listener: (...heard: any[]) => void): this {
		if (event === 'readable') {
			markSpent(this);
		}

		return super.on(event, listener);
	}

	override async toArray(): Promise<Uint8Array[]> {
		return this.#isTaken ? [] : [this.#take()];
	}

	override read(size?: number): Uint8Array | null {
		return size === 0 || this.#isTaken ? null : this.#take();
	}

	#take(): Uint8Array {
		this.#isTaken = true;
		const body = Buffer.from(this.#body);
		markSpent(this);
		// Got 15 counts what comes.
		this.emit('data', body);
		// Got has what it was given by then: a tick of `process` may come before the promise that gives it.
		queueMicrotask(() => {
			queueMicrotask(() => {
				this.emit('end');
			});
		});
		return body;
	}
}

import {Buffer} from 'node:buffer';
import process from 'node:process';
import type {RenderedResponse} from '../engine/exchange-types.ts';
import {ServedResponse} from './served-response.ts';
import {markSpent} from './spent.ts';

// What comes in one piece tells of no progress by the way.
const most = 65_536;

/** A stored response for the promise API. */
export function servedAtOnce(rendered: RenderedResponse): ServedResponse {
	const {headers, body: {byteLength}} = rendered;
	const isWhole = byteLength > 0 && byteLength <= most && headers['content-length'] === String(byteLength) && headers['content-encoding'] === undefined;
	return isWhole ? new WholeResponse(rendered) : new ServedResponse(rendered);
}

/**
An answer whose body Got takes at once, as it does with one that has ended before it looks: a stream less, which is a fifth of a hit.

That is not documented by Got. One that reads it as any other stream gets the body, too.
*/
class WholeResponse extends ServedResponse {
	readonly #body: Uint8Array;
	#isTaken = false;

	constructor(rendered: RenderedResponse) {
		super(rendered);
		this.#body = rendered.body;
		markSpent(this);
	}

	override async toArray(): Promise<Uint8Array[]> {
		return this.#isTaken ? [] : [this.#take()];
	}

	override read(size?: number): Uint8Array | null {
		return size === 0 || this.#isTaken ? null : this.#take();
	}

	#take(): Uint8Array {
		this.#isTaken = true;
		// Got has what it was given by then.
		process.nextTick(() => {
			this.emit('end');
		});
		return Buffer.from(this.#body);
	}
}

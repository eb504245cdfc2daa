import type {Options} from 'got';
import type {Exchange} from '../exchange/exchange.ts';

/** The exchange that a response comes from, and the clock of its client. */
export type Remembered = {readonly exchange: Exchange; readonly now: () => number};

const ofRequests = new WeakMap<Options, Remembered>();

export function remember(options: Options, remembered: Remembered): void {
	ofRequests.set(options, remembered);
}

export function rememberedOf(options: Options): Remembered | undefined {
	return ofRequests.get(options);
}

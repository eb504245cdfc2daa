import type {Options} from 'got';
import {findSeat} from './install/seat.ts';

/** Puts a transport before the request function of these options alone. */
export function putOn(options: Options, transport: unknown): void {
	Object.defineProperty(options, 'getRequestFunction', {value: () => transport, configurable: true});
}

/**
Takes it off again, and with it what a whole-process installation does with all options: one request has one cache.
*/
export function takeOff(options: Options): void {
	Reflect.deleteProperty(options, 'getRequestFunction');
	findSeat()?.pass(options);
}

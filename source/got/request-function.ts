import type {Options} from 'got';

type Method = Options['getRequestFunction'];

/** Under it, a method that an installation has put on Got's options has the one that it stands for. Shared by all copies of this library in a process. */
export const plainMethod: unique symbol = Symbol.for('got-cache-hooks.plain-method') as never;

/** A method that stands for Got's own until it is taken off. */
export type InstalledMethod = Method & {readonly [plainMethod]: Method};

/** Puts a transport before the request function of these options alone. */
export function putOn(options: Options, transport: unknown): void {
	Object.defineProperty(options, 'getRequestFunction', {value: () => transport, configurable: true});
}

/**
Takes it off again, and with it what a whole-process installation put on all options: one request has one cache.
*/
export function takeOff(options: Options): void {
	Reflect.deleteProperty(options, 'getRequestFunction');
	const plain = (options.getRequestFunction as Partial<InstalledMethod>)[plainMethod];
	if (plain !== undefined) {
		Object.defineProperty(options, 'getRequestFunction', {value: plain, configurable: true});
	}
}

import {setTimeout as delay} from 'node:timers/promises';
import type {CacheCore} from '../cache/core.ts';
import type {Lease, LeaseState} from '../cache/leases.ts';
import {then, withinTime, type MaybePromise} from '../maybe-promise.ts';
import type {Step} from './exchange-types.ts';
import type {Exchange} from './exchange.ts';
import type {Flight, Outcome} from './flight.ts';

// How often whoever waits for another process looks whether it has ended: at first soon, then less so.
const firstPause = 5;
const longestPause = 100;

/**
Takes the lease for a flight, that no other process asks for the same; or waits for the one that does, and then for what it has stored.

@param step - What is to be done once the request may be sent.
@returns What is to be done instead, if what came meanwhile answers the request.
*/
export function claim(exchange: Exchange, flight: Flight, step: Step, cache: CacheCore): MaybePromise<Step> {
	const {leases} = cache;
	if (leases.milliseconds === 0) {
		return step;
	}

	return then(take(exchange, flight, cache), taking => {
		if (taking === 'late') {
			return step;
		}

		return taking === 'taken' ? new Wait(exchange, flight, cache).run(step) : lookAgain(exchange);
	});
}

/** Takes the lease for a flight, unless another has it, or the store takes too long. */
function take({info, patience}: Exchange, flight: Flight, cache: CacheCore): MaybePromise<'ours' | 'taken' | 'late'> {
	const key = info.key!;
	const taking = then(cache.leases.take(key), lease => {
		if (lease !== undefined) {
			giveBack(lease, flight, key, cache);
		}

		return lease === undefined ? 'taken' : 'ours';
	});
	return taking instanceof Promise ? withinTime<'ours' | 'taken' | 'late'>(taking, patience.left, 'late') : taking;
}

/** Another process may have had the lease, and given it back, since the store was asked. */
function lookAgain(exchange: Exchange): MaybePromise<Step> {
	return then(exchange.again(), next => {
		if (next.do === 'serve') {
			exchange.share();
		}

		return next;
	});
}

/** Whether a refresh may be sent: no other process does the same. */
export async function mayRefresh(key: string, flight: Flight, cache: CacheCore): Promise<boolean> {
	if (cache.leases.milliseconds === 0) {
		return true;
	}

	const lease = await cache.leases.take(key);
	if (lease !== undefined) {
		giveBack(lease, flight, key, cache);
	}

	return lease !== undefined;
}

/** The lease is given back when the flight is over, and what it got is written. */
function giveBack(lease: Lease, flight: Flight, key: string, cache: CacheCore): void {
	const end = (outcome: Outcome): void => {
		cache.hold(release(lease, outcome, key, cache));
	};

	if (flight.isOver) {
		end('failed');
	} else {
		flight.onOver = end;
	}
}

async function release(lease: Lease, outcome: Outcome, key: string, cache: CacheCore): Promise<void> {
	try {
		// A flight lands right before what it got is handed to be written.
		await Promise.resolve();
		await cache.whenWritten(key);
		await lease.release(outcome === 'passed');
	} catch (error) {
		cache.report('storeError', {operation: 'delete', key, error});
	}
}

/** A wait for another process. */
class Wait {
	readonly #exchange: Exchange;
	readonly #flight: Flight;
	readonly #cache: CacheCore;

	/** Whoever waits does so for one lease, however many take one after the other. */
	readonly #end: number;

	constructor(exchange: Exchange, flight: Flight, cache: CacheCore) {
		this.#exchange = exchange;
		this.#flight = flight;
		this.#cache = cache;
		this.#end = performance.now() + Math.min(cache.leases.milliseconds, exchange.patience.leftInAll);
	}

	async run(step: Step): Promise<Step> {
		const {patience} = this.#exchange;
		let pause = firstPause;
		for (let start = performance.now(); start < this.#end && !this.#flight.isOver; start = performance.now()) {
			await delay(Math.min(pause, this.#end - start)); // eslint-disable-line no-await-in-loop -- It is a wait.
			pause = Math.min(2 * pause, longestPause);
			patience.excuse(start);
			this.#flight.progress();
			const asked = performance.now();
			const state = await this.#look(); // eslint-disable-line no-await-in-loop
			if (state === 'passed' || state === 'late') {
				break;
			}

			if (state === 'free') {
				return this.#next(step);
			}

			// The other is on its way: neither was this time lost by the store.
			patience.excuse(asked);
		}

		return step;
	}

	/** The other has ended: there is what it stored, or this one is the next to ask. */
	async #next(step: Step): Promise<Step> {
		const next = await lookAgain(this.#exchange);
		if (next.do === 'serve') {
			return next;
		}

		const taking = await take(this.#exchange, this.#flight, this.#cache);

		// Either yet another was quicker, or the store takes no lease.
		return taking === 'taken' && await this.#look() === 'taken' ? this.run(next) : next;
	}

	async #look(): Promise<LeaseState | 'late'> {
		const looking = this.#cache.leases.look(this.#exchange.info.key!);
		return looking instanceof Promise ? withinTime<LeaseState | 'late'>(looking, this.#exchange.patience.left, 'late') : looking;
	}
}

import type {ExecutionContext} from 'ava';
import {systemClock, type Clock} from '../../source/exchange/time-budget.ts';

type Timer = {readonly time: number; readonly action: () => void};

/** Monotonic time that a test moves by hand, and that counts its timers. */
export class HandClock implements Clock {
	readonly #timers = new Set<Timer>();
	#now = 1000;

	readonly now = (): number => this.#now;

	readonly after = (milliseconds: number, action: () => void): (() => void) => {
		if (milliseconds === Infinity) {
			return () => {};
		}

		const timer = {time: this.#now + Math.max(0, milliseconds), action};
		this.#timers.add(timer);
		return () => {
			this.#timers.delete(timer);
		};
	};

	/** The number of running timers. */
	get timers(): number {
		return this.#timers.size;
	}

	/** Advances the clock, and calls each timer that is due at its time. */
	advance(milliseconds: number): void {
		const end = this.#now + milliseconds;
		for (let due = this.#firstUntil(end); due !== undefined; due = this.#firstUntil(end)) {
			this.#timers.delete(due);
			this.#now = due.time;
			due.action();
		}

		this.#now = end;
	}

	#firstUntil(end: number): Timer | undefined {
		const due = [...this.#timers].filter(({time}) => time <= end);
		return due.toSorted((one, other) => one.time - other.time)[0];
	}
}

/**
Lets the clock of waits between requests, and `performance.now()`, stand until the test moves them: no wait ends by its time, however slow the machine is. Only for serial tests.
*/
export function standClock(t: ExecutionContext): HandClock {
	const clock = new HandClock();
	const {now, after} = systemClock;
	const {now: machineNow} = performance;
	Object.assign(systemClock, {now: clock.now, after: clock.after});
	performance.now = clock.now;
	t.teardown(() => {
		Object.assign(systemClock, {now, after});
		performance.now = machineNow;
	});
	return clock;
}

// Milliseconds for which an event loop that keeps up may be late.
const calm = 5;

/**
The event loop's own beat: how late it is, a clock that leaves that out, and a pace that it can keep.

A client, its callers and an origin in one process get in one another's way: without this, what is measured is how much there is to do, and not what waits for what.
*/
export class Pulse implements Disposable {
	/** The latest that one beat was, in milliseconds. */
	latest = 0;
	#last = performance.now();
	#late = 0;
	#timer: NodeJS.Timeout | undefined;
	readonly #waiting: Array<() => void> = [];

	constructor() {
		this.#listen();
	}

	/** Milliseconds, without those for which the event loop did not keep up. */
	now(): number {
		return performance.now() - this.#late;
	}

	/** One caller after the other goes, and only while the event loop keeps up. */
	async turn(): Promise<void> {
		await new Promise<void>(resolve => {
			this.#waiting.push(resolve);
		});
	}

	[Symbol.dispose](): void {
		clearTimeout(this.#timer);
	}

	#listen(): void {
		this.#timer = setTimeout(() => {
			const now = performance.now();
			const late = now - this.#last - 1;
			this.#last = now;
			this.latest = Math.max(this.latest, late);
			if (late < calm) {
				this.#waiting.shift()?.();
			} else {
				this.#late += late;
			}

			this.#listen();
		}, 1);
	}
}

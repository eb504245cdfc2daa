import {setTimeout as delay} from 'node:timers/promises';

// Far longer than any machine takes: it names a condition that never holds.
const longest = 120_000;

/** Resolves when a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
	const signal = AbortSignal.timeout(longest);
	while (await condition() !== true) {
		if (signal.aborted) {
			throw new Error(`This never came to hold: ${String(condition)}`);
		}

		await delay(2);
	}
}

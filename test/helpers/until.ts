import {setTimeout as delay} from 'node:timers/promises';

// Far longer than any machine takes: it is there to name the condition that never holds.
const longest = 120_000;

/** Resolves once a condition holds, however long that takes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
	const signal = AbortSignal.timeout(longest);
	while (await condition() !== true) {
		if (signal.aborted) {
			throw new Error(`This never came to hold: ${String(condition)}`);
		}

		await delay(2);
	}
}

import type {Store} from '../stores/types.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {encodeRecord} from './records.ts';

const key = 'got-cache:1:hidden';

/**
Says in the store that an index does not tell the whole truth about what it holds: there are, or were, variants that lie beside a primary entry (which nobody finds when that is gone), or tags that were deleted or expired.
*/
export class HiddenMark {
	readonly #store: Store;
	#isSet = false;

	/**
	Reads nothing yet.

	@param store - Throws its faults.
	*/
	constructor(store: Store) {
		this.#store = store;
	}

	set(): MaybePromise<void> {
		return this.#isSet
			? undefined
			: then(this.#store.set(key, encodeRecord('hidden', this.#store.holds), {expires: undefined, size: 16}), () => {
				this.#isSet = true;
			});
	}

	/** A store that fails has said so where the entry itself is written. */
	setQuietly(): MaybePromise<void> {
		try {
			const answer = this.set();
			return answer instanceof Promise ? answer.catch(() => undefined) : answer;
		} catch {
			return undefined;
		}
	}

	async isThere(): Promise<boolean> {
		return this.#isSet || await this.#store.get(key) !== undefined;
	}

	forget(): void {
		this.#isSet = false;
	}
}

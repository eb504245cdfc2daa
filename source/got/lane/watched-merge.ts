import type {Options} from 'got';

type Merge = Options['merge'];

/** Of each copy of Got, what watches. */
const watched = new WeakMap<object, Merge>();

/** Of merges into options, whether the last came to its end: where it did not, Got has an error to tell. */
const ends = new WeakMap<Options, boolean>();

/**
Watches from now on what is merged into options of the same copy of Got.

Got calls hooks only for some of it: not for options that it refuses before, nor for an instance that brings nothing but handlers. What is merged, and what comes of it, stays as it is.

@param onInstance - Told of options into which those of an instance are to be merged.
*/
export function watchMerge(options: Options, onInstance: (into: Options) => void): void {
	const prototype = Object.getPrototypeOf(options) as Pick<Options, 'merge'>;
	if (watched.has(prototype)) {
		return;
	}

	const plain = prototype.merge;
	const {merge} = {
		merge(this: Options, given: Parameters<Merge>[0]): void {
			ends.set(this, false);
			if (Object.getPrototypeOf(new Object(given)) === prototype) {
				onInstance(this);
			}

			plain.call(this, given);
			ends.set(this, true);
		},
	};
	watched.set(prototype, merge);
	// Where it cannot be put there, nothing is watched.
	Reflect.defineProperty(prototype, 'merge', {value: merge, writable: true, configurable: true});
}

/** Whether what watches is there, and nobody has put anything over it. */
export function isMergeWatched(options: Options): boolean {
	return watched.get(Object.getPrototypeOf(options) as object) === options.merge;
}

export function mergeHasEnded(options: Options): boolean {
	return ends.get(options) !== false;
}

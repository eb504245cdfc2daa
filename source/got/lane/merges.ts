import type {HandlerFunction, InitHook, Options} from 'got';
import {isMergeWatched, mergeHasEnded, watchMerge} from './watched-merge.ts';

/** Where a lane stands in an instance, and in what is made of that. */
export type Place = {
	readonly lane: HandlerFunction;

	/** Whether no handler stands before the lane; `undefined` until that was seen. */
	isFirst: boolean | undefined;
};

type ExtendedOptions = {
	hooks?: {init?: InitHook[]};
	handlers?: HandlerFunction[];
	mutableDefaults?: boolean;

	/** These options have been merged into an instance before. */
	[merged]?: true;
};

const merged = Symbol('got-cache-hooks: merged');

const lanes = new WeakSet<HandlerFunction>();
const ownHooks = new WeakSet<InitHook>();
const places = new WeakMap<InitHook, Place>();

/** A hook of this library: it neither reads nor changes what another hook could see. */
export function ownInitHook<Hook extends InitHook>(hook: Hook): Hook {
	ownHooks.add(hook);
	return hook;
}

/** It is no hook of this library's, and so closes the lane of the instance that has it, and of all that is made of that. */
const closed: InitHook = () => {}; // eslint-disable-line @typescript-eslint/no-empty-function -- What it is matters, not what it does.

/**
Watches what Got merges into the options of an instance, and of a request: Got tells a handler neither which handlers come before or after it, nor whether the options that it is given are all that were asked for.
*/
export function watchMerges(lane: HandlerFunction): InitHook {
	lanes.add(lane);
	return watchOf({lane, isFirst: undefined});
}

/** It is handed down with an instance's hooks, and so tells of each request where its lane stands. */
function watchOf(place: Place): InitHook {
	const watch = ownInitHook((given, self) => {
		watchMerge(self, closeBehindInstance);
		const plain = given as ExtendedOptions;
		const init = plain.hooks?.init;
		if (!areOwn(self.hooks.init) || !areOwn(init)) {
			// They would see what is done here; and where there are others, the lane is closed.
			return;
		}

		// Merged for the second time, the lane is a part of an instance that others are merged with, unseen.
		if (plain[merged] === true || isClosedBy(plain)) {
			self.hooks.init.push(closed);
		}

		const at = Array.isArray(init) ? init.indexOf(watch) : -1;
		if (at === -1) {
			return;
		}

		plain[merged] = true;
		// What is merged into two instances may stand first in one of them only.
		init![at] = watchOf({...place, isFirst: undefined});
	});
	places.set(watch, place);
	return watch;
}

/** An instance that is merged behind the lane may have handlers: Got shows them to nobody. */
function closeBehindInstance({hooks: {init}}: Options): void {
	if (init.some(hook => places.has(hook))) {
		init.push(closed);
	}
}

/** Whether a handler stands, or may stand, behind the lane from now on: it must see every request. */
function isClosedBy({handlers, mutableDefaults}: ExtendedOptions): boolean {
	return mutableDefaults === true || (Array.isArray(handlers) && handlers.some(handler => !lanes.has(handler)));
}

/** What is no list is for Got to refuse. */
function areOwn(hooks: readonly InitHook[] | undefined): boolean {
	return !Array.isArray(hooks) || hooks.every(hook => ownHooks.has(hook as InitHook));
}

/**
Where a lane stands in the instance that makes a request.

@returns `undefined` where another's handler or hook is to see the request, or Got has an error to tell of its options.
*/
export function placeOf(options: Options, lane: HandlerFunction): Place | undefined {
	const {init} = options.hooks;
	if (!isMergeWatched(options) || !mergeHasEnded(options) || !areOwn(init)) {
		return undefined;
	}

	const hook = init.findLast(candidate => places.get(candidate)?.lane === lane);
	return hook && places.get(hook);
}

import type {HandlerFunction, InitHook, Options} from 'got';

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
} & Record<string, unknown>;

const merged = Symbol('got-cache-hooks: merged');

/** Options of Got that hardly anybody has: where one is `undefined`, Got reads it and goes on. */
const silentOptions = ['h2session', 'localAddress', 'dnsLookup', 'createConnection'];

const lanes = new WeakSet<HandlerFunction>();
const ownHooks = new WeakSet<InitHook>();
const places = new WeakMap<InitHook, Place>();

/** Of merges into options, whether the last came to its end: where it did not, Got has an error to tell. */
const ends = new WeakMap<object, boolean>();

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
		const plain = given as ExtendedOptions;
		ends.set(self, false);
		if (!areOwn(self.hooks.init) || !areOwn(plain.hooks?.init)) {
			// They would see what is done here; and where there are others, the lane is closed.
			return;
		}

		watchEnd(plain, self);
		// Merged for the second time, the lane is a part of an instance that others are merged with, unseen.
		if (plain[merged] === true || isClosedBy(plain)) {
			self.hooks.init.push(closed);
		}

		const init = plain.hooks?.init;
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

/** Got takes one option after the other: the last tells that none was refused. */
function watchEnd(plain: ExtendedOptions, self: Options): void {
	const last = silentOptions.find(name => plain[name] === undefined);
	if (last === undefined) {
		return;
	}

	Reflect.deleteProperty(plain, last);
	Object.defineProperty(plain, last, {
		get() {
			ends.set(self, true);
		},
		enumerable: true,
		configurable: true,
	});
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
	if (ends.get(options) === false || !areOwn(init)) {
		return undefined;
	}

	const hook = init.findLast(candidate => places.get(candidate)?.lane === lane);
	return hook && places.get(hook);
}

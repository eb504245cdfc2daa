import type {HandlerFunction, InitHook, Options} from 'got';

/** In `context`, which Got hands down to what extends an instance. */
type Marks = {
	/** The options of this library have been merged into an instance. */
	[merged]?: true;

	/** A handler stands, or may stand, behind the lane: it must see every request. */
	[closed]?: true;

	/** The last merge that came to its end. */
	[ended]?: number;
};

const merged = Symbol('got-cache-hooks: merged');
const closed = Symbol('got-cache-hooks: no fast lane');
const ended = Symbol('got-cache-hooks: merge');

/** The merges into options that have begun: where one did not come to its end, Got has an error to tell. */
const begun = new WeakMap<object, number>();
const lanes = new WeakSet<HandlerFunction>();
const ownHooks = new WeakSet<InitHook>();
let count = 0;

/** A hook of this library: it neither reads nor changes what another hook could see. */
export function ownInitHook<Hook extends InitHook>(hook: Hook): Hook {
	ownHooks.add(hook);
	return hook;
}

/**
Watches what Got merges into the options of an instance, and of a request: Got tells a handler neither which handlers come after it, nor whether the options that it is given are all that were asked for.
*/
export function watchMerges(lane: HandlerFunction): InitHook {
	lanes.add(lane);
	return ownInitHook((given, self) => {
		const plain = given as ExtendedOptions;
		count++;
		begun.set(self, count);
		if (!areOwn(self.hooks.init) || !areOwn(plain.hooks?.init ?? [])) {
			// They would see the marks; and where there are others, the lane is closed.
			return;
		}

		const {context} = plain;
		const marks = marksOf(plain, lane);
		// Got takes one option after the other: the last tells that none was refused.
		delete plain.context;
		plain.context = {...context, ...marks, [ended]: count};
	});
}

/** What is to be known of an instance for as long as it lives. */
function marksOf({context, handlers = [], mutableDefaults}: ExtendedOptions, lane: HandlerFunction): Marks {
	if (mutableDefaults === true || handlers.some(handler => !lanes.has(handler))) {
		return {[closed]: true};
	}

	// Merged for the second time, the lane is a part of an instance that others are merged with, unseen.
	return handlers.includes(lane) ? {[(context as Marks | undefined)?.[merged] === true ? closed : merged]: true} : {};
}

type ExtendedOptions = {
	hooks?: {init?: InitHook[]};
	handlers?: HandlerFunction[];
	mutableDefaults?: boolean;
	context?: Record<string, unknown>;
};

function areOwn(hooks: readonly InitHook[]): boolean {
	return hooks.every(hook => ownHooks.has(hook));
}

/** Whether these options are all that were asked for, and nobody else's handler or hook sees them. */
export function isWhole(options: Options): boolean {
	if (!areOwn(options.hooks.init)) {
		return false;
	}

	const marks = options.context as Marks;
	const last = begun.get(options);
	return marks[closed] !== true && (last === undefined || last === marks[ended]);
}

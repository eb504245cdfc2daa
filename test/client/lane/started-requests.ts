import type {Got, Request} from 'got';

type Flushed = {flush: Request['flush']};

const counts = new WeakMap<Flushed, {count: number}>();

/** By a copy's class of options. */
const prototypes = new WeakMap<object, Request>();

/**
Counts the requests that a copy of Got starts: an answer that needs none is the fast lane's.

Got makes one object for each call, and does nothing with it before `flush()`.
*/
export class StartedRequests {
	readonly #counted: {count: number};
	#before: number;

	constructor(instance: Got) {
		this.#counted = countedOf(instance);
		this.#before = this.#counted.count;
	}

	/** Since it was asked last, or made. */
	take(): number {
		const taken = this.#counted.count - this.#before;
		this.#before = this.#counted.count;
		return taken;
	}
}

/** What a copy's requests are made of: Got does not give their class away. */
export function requestPrototype(instance: Got): Request {
	const {constructor} = instance.defaults.options;
	const known = prototypes.get(constructor);
	if (known !== undefined) {
		return known;
	}

	const stream = instance.stream('http://127.0.0.1');
	stream.destroy();
	const prototype = Object.getPrototypeOf(stream) as Request;
	prototypes.set(constructor, prototype);
	return prototype;
}

function countedOf(instance: Got): {count: number} {
	const prototype: Flushed = requestPrototype(instance);
	const known = counts.get(prototype);
	if (known !== undefined) {
		return known;
	}

	const counted = {count: 0};
	counts.set(prototype, counted);
	const {flush} = prototype;
	prototype.flush = async function (this: Request) {
		counted.count++;
		return flush.call(this);
	};

	return counted;
}

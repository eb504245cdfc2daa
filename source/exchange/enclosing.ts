import {AsyncLocalStorage} from 'node:async_hooks';
import type {InFlight} from './in-flight.ts';

/** The requests that the code which runs is part of: a hook, a user's request function, a decorated method. */
type Context = {readonly inFlight: InFlight<any>; readonly outer: Context | undefined};

const contexts = new AsyncLocalStorage<Context>();

/** The requests that have not ended and that the code which runs is part of, from the innermost to the outermost. */
export function enclosingRequests(): ReadonlyArray<InFlight<unknown>> {
	const enclosing: Array<InFlight<unknown>> = [];
	for (let context = current(); context !== undefined; context = underWay(context.outer)) {
		enclosing.push(context.inFlight as InFlight<unknown>);
	}

	return enclosing;
}

/** Runs code as part of a request. */
export function runInside<Value>(inFlight: InFlight<any>, action: () => Value): Value {
	// A response may lead to the next request, and that to another one, for as long as the process lives.
	return contexts.run({inFlight, outer: current()}, action);
}

function current(): Context | undefined {
	return underWay(contexts.getStore());
}

function underWay(innermost: Context | undefined): Context | undefined {
	let context = innermost;
	while (context?.inFlight.isOver === true) {
		context = context.outer;
	}

	return context;
}

/* eslint-disable unicorn/no-nonstandard-builtin-properties -- Node.js has no other way to see who calls. */
import type {HandlerFunction} from 'got';

/**
Whether Got called a handler, and no other handler did.

Who stands before may give its caller another promise, which Got equips with its own ways to read and to listen: they know nothing of what is answered without Got's request. Got tells nobody who called: the stack does, by the names of Got's functions; where they are not found (in a bundle that was shortened), nobody is first.
*/
export function isFirstHandler(handler: HandlerFunction): boolean {
	const {stackTraceLimit, prepareStackTrace} = Error;
	try {
		Error.stackTraceLimit = 2;
		Error.prepareStackTrace = (_error, callSites) => callSites;
		const trace: {stack?: NodeJS.CallSite[]} = {};
		Error.captureStackTrace(trace, handler);
		const [inner, outer] = trace.stack!;
		return inner?.getFunctionName() === 'iterateHandlers' && outer?.getFunctionName() === 'makeRequest' && inner.getScriptNameOrSourceURL() === outer.getScriptNameOrSourceURL();
	} catch {
		// `Error` may be frozen.
		return false;
	} finally {
		Object.assign(Error, {stackTraceLimit, prepareStackTrace});
	}
}

import type {Options, Request} from 'got';
import type {NativeOptions} from './native-request.ts';

export type RequestClass = typeof Request;

/** What is learned of a copy of Got by what it does: several may be loaded, and this library imports none of them for that. */
export type GotCopy = {
	/** The class that makes its requests. */
	requestClass: RequestClass | undefined;

	/** What it sends as `Accept-Encoding` where nobody says otherwise. */
	acceptEncoding: string | undefined;
};

/** Each copy has a class of options of its own. */
const copies = new WeakMap<object, GotCopy>();

export function gotCopyOf(options: Options): GotCopy {
	const known = copies.get(options.constructor);
	if (known !== undefined) {
		return known;
	}

	const copy: GotCopy = {requestClass: undefined, acceptEncoding: undefined};
	copies.set(options.constructor, copy);
	return copy;
}

/** Got tells it on each response, soon after it has it. */
export function learnRequestClass(options: Options, {request}: {readonly request?: Request}): RequestClass | undefined {
	const copy = gotCopyOf(options);
	if (request !== undefined) {
		// Its own `constructor` is a field that says nothing.
		copy.requestClass ??= (Object.getPrototypeOf(request) as {constructor: RequestClass}).constructor;
	}

	return copy.requestClass;
}

export function learnFrom(options: Options, response: object): void {
	if (gotCopyOf(options).requestClass === undefined) {
		setImmediate(() => {
			learnRequestClass(options, response);
		});
	}
}

export function learnAcceptEncoding(options: Options, {headers}: NativeOptions): void {
	const sent = headers?.['accept-encoding'];
	// What is piped in has headers of its own.
	if (typeof sent === 'string' && !options.isStream && !options.isHeaderExplicitlySet('accept-encoding')) {
		gotCopyOf(options).acceptEncoding = sent;
	}
}

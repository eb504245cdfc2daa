import type {
	Got,
	Options,
	Request,
	Response,
} from 'got';
import {cacheInfo} from '../../../source/index.ts';
import {requestPrototype} from './started-requests.ts';

type Shown = Readonly<Record<string, unknown>>;

/**
All that a response shows beside what a recorder writes down: what it is made of, the state of its stream, the request that it names, and the options of that.
*/
export function look(response: Response, instance: Got): Shown {
	const {request, rawBody, headers, rawHeaders, redirectUrls, requestUrl} = response;
	const stream = response as Response & Record<string, unknown>;
	return {
		class: response.constructor.name,
		tag: Object.prototype.toString.call(response),
		keys: Object.keys(response).filter(key => !key.startsWith('_')).toSorted(),
		stream: pick(stream, ['readable', 'readableEnded', 'readableFlowing', 'readableLength', 'readableAborted', 'readableDidRead', 'readableEncoding', 'readableObjectMode', 'readableHighWaterMark', 'destroyed', 'closed', 'errored', 'complete', 'aborted', 'rawTrailers', 'httpVersionMajor', 'httpVersionMinor']),
		classes: [rawBody, headers, rawHeaders, redirectUrls, requestUrl, response.timings].map(value => (value as object | undefined)?.constructor.name),
		hasOwnBytes: rawBody.buffer.byteLength === rawBody.byteLength,
		descriptors: Object.fromEntries(['url', 'body', 'rawBody', 'headers', 'ok'].map(name => [name, flagsOf(response, name)])),
		info: infoOf(response),
		request: lookAtRequest(request, instance),
		isOfRequest: request.response === response,
		isAgain: [response.request === request, response.requestUrl === requestUrl, request.requestUrl === requestUrl, request.redirectUrls === redirectUrls],
	};
}

/** The key holds the port, and dates are compared by what the responses say. */
function infoOf(response: Response): Shown {
	const {key, ...info} = cacheInfo(response);
	return {
		...info, hasKey: key !== undefined, createdAt: info.createdAt?.getTime(), expires: info.expires?.getTime(),
	};
}

function lookAtRequest(request: Request, instance: Got): Shown {
	return {
		isOfGot: Object.getPrototypeOf(request) === requestPrototype(instance),
		state: pick(request as never, ['requestUrl', 'redirectUrls', 'retryCount', 'ip', 'isAborted', 'socket', 'isFromCache', 'isReadonly', 'destroyed', 'downloadProgress', 'uploadProgress', 'writable', 'readable']),
		options: lookAtOptions(request.options),
	};
}

/** Each option, with what is no plain value by its kind. */
function lookAtOptions(options: Options): Shown {
	// What Got 15 calls by another name throws.
	const accessors = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(options) as object)).filter(([name, {get}]) => get !== undefined && name !== 'searchParameters' && name !== 'followRedirects' && name !== 'auth');
	return Object.fromEntries(accessors.map(([name]) => [name, shown((options as unknown as Shown)[name])]));
}

function shown(value: unknown, depth = 0): unknown {
	if (typeof value === 'function') {
		return `function ${value.name}`;
	}

	if (Array.isArray(value)) {
		return value.map(item => shown(item, depth + 1));
	}

	if (typeof value !== 'object' || value === null || value instanceof URL) {
		return value;
	}

	if (value instanceof URLSearchParams) {
		return String(value);
	}

	const name = (value.constructor as {name?: string} | undefined)?.name ?? 'none';
	return name === 'Object' && depth < 3 ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, depth + 1)])) : `a ${name}`;
}

function pick(object: Shown, names: readonly string[]): Shown {
	return Object.fromEntries(names.map(name => [name, shown(object[name])]));
}

function flagsOf(object: object, name: string): string {
	const descriptor = Object.getOwnPropertyDescriptor(object, name);
	return descriptor === undefined ? 'inherited' : Object.entries(descriptor).filter(([, value]) => value === true).map(([flag]) => flag).join(' ');
}

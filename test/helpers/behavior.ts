import {Buffer} from 'node:buffer';
import type {ClientRequest, ServerResponse} from 'node:http';
import {constants, type Http2ServerResponse} from 'node:http2';
import zlib from 'node:zlib';
import type {ExecutionContext} from 'ava';
import type {
	ExtendOptions,
	Got,
	Options,
	Progress,
	Request,
	RequestError,
	RequestPromise,
	Response,
} from 'got';
import {cacheHooks, getCache, type CacheSettings} from '../../source/index.ts';
import {Origin, type Handler} from './origin.ts';

/**
A behavior of Got that callers can observe. It runs with a plain instance and with each kind of cache, and the recordings must be equal.
*/
export type Scenario = {
	readonly title: string;

	/** The fields of the recording that may differ. */
	readonly except?: readonly string[] | undefined;
	readonly run: (setup: Setup) => Promise<void>;
};

type OwnOptions = ExtendOptions;

/** What a scenario runs with. */
export type Setup = {
	readonly client: Got;
	readonly url: string;
	readonly site: Site;
	readonly recorder: Recorder;

	/** Returns an instance whose own hooks run before those of the cache. */
	readonly clientAfter: (options: OwnOptions) => Got;
};

const pages = 3;
const steps = 4;
const stepSize = 1000;
const text = 'Grüße '.repeat(500);

/**
A site whose paths each show one behavior of an origin.
*/
export class Site {
	readonly handler: Handler;
	readonly #hits = new Map<string, number>();
	readonly #held: ServerResponse[] = [];
	readonly #waiting: Array<(response: ServerResponse) => void> = [];

	constructor() {
		this.handler = (request, response, body) => {
			const {pathname, searchParams} = new URL(request.url!, 'http://localhost');
			const [, name = '', argument = ''] = pathname.split('/', 3);
			const hit = (this.#hits.get(request.url!) ?? 0) + 1;
			this.#hits.set(request.url!, hit);
			const route = this.#routes[name];
			if (route === undefined) {
				throw new Error(`No such path: ${request.url}`);
			}

			route({
				request, response, body, argument, searchParams, hit,
			});
		};
	}

	/** Returns a response that the origin leaves to the scenario to end. */
	async held(): Promise<ServerResponse> {
		return this.#held.shift() ?? new Promise(resolve => {
			this.#waiting.push(resolve);
		});
	}

	/** A signal that aborts as `AbortSignal.timeout` does, once the origin has the request that it leaves without a response. */
	timeoutSignal(): AbortSignal {
		const controller = new AbortController();
		void this.held().then(() => {
			controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
		});
		return controller.signal;
	}

	#hold(response: ServerResponse): void {
		const waiting = this.#waiting.shift();
		if (waiting === undefined) {
			this.#held.push(response);
		} else {
			waiting(response);
		}
	}

	readonly #routes: Record<string, (visit: {
		request: Parameters<Handler>[0];
		response: ServerResponse;
		body: string;
		argument: string;
		searchParams: URLSearchParams;
		hit: number;
	}) => void> = {
		json({response}) {
			response.setHeader('content-type', 'application/json');
			response.end('{"ok":true,"list":[1,2]}');
		},
		text({response}) {
			response.setHeader('x-list', ['1', '2']);
			response.end(text);
		},
		bytes({response}) {
			response.end(Buffer.from(Array.from({length: 256}, (_, index) => index)));
		},
		'bad-json'({response}) {
			response.end('{"broken');
		},
		status({response, argument}) {
			response.writeHead(Number(argument), argument === '418' ? 'Short and stout' : undefined);
			response.end(`status ${argument}`);
		},
		echo({request, response, body}) {
			const {method, url, headers: {connection, ...headers}} = request;
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({
				method, url, headers, body,
			}));
		},
		flaky({response, argument, hit, searchParams}) {
			const isBusy = hit <= Number(argument);
			response.writeHead(isBusy ? 503 : 200, isBusy && searchParams.has('after') ? {'retry-after': '0'} : {});
			response.end(isBusy ? `busy ${hit}` : 'well again');
		},
		reset({response, argument, hit}) {
			if (hit <= Number(argument)) {
				response.socket!.destroy();
				return;
			}

			response.end('connected again');
		},
		'cut-once'({response, hit}) {
			response.writeHead(200, {'content-length': '10'});
			if (hit > 1) {
				response.end('0123456789');
				return;
			}

			response.write('01234', () => {
				response.socket!.destroy();
			});
		},
		hang: ({response}) => {
			this.#hold(response);
		},
		'hang-body': ({response}) => {
			response.writeHead(200, {'content-length': '100'});
			response.write('partial');
			this.#hold(response);
		},
		steps: ({response, argument}) => {
			response.writeHead(200, argument === 'unknown-length' ? {} : {'content-length': String(steps * stepSize)});
			response.flushHeaders();
			this.#hold(response);
		},
		made({response, argument, searchParams}) {
			// The headers come from the query; each body is one that Got reads in its own way.
			for (const [name, value] of searchParams) {
				response.setHeader(name, value);
			}

			response.end({
				json: '{"made":true}', empty: '', marked: '\u{FEFF}marked', 'marked-json': '\u{FEFF}{"made":true}',
			}[argument]);
		},
		redirect({response, argument, searchParams}) {
			response.writeHead(Number(argument), {location: searchParams.get('to') ?? '/text'});
			response.end('elsewhere');
		},
		loop({response, argument}) {
			response.writeHead(302, {location: `/loop/${Number(argument) + 1}`});
			response.end();
		},
		coded({request, response, argument}) {
			const encode = {gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync}[argument]!;
			const body = encode(text);
			response.writeHead(200, {'content-encoding': argument, 'content-length': String(body.length)});
			response.end(request.method === 'HEAD' ? undefined : body);
		},
		'bad-gzip'({response}) {
			response.writeHead(200, {'content-encoding': 'gzip'});
			response.end('this is no gzip');
		},
		'short-gzip'({response}) {
			response.writeHead(200, {'content-encoding': 'gzip'});
			response.end(zlib.gzipSync(text).subarray(0, 30));
		},
		'unknown-coding'({response}) {
			response.writeHead(200, {'content-encoding': 'aes128gcm'});
			response.end('opaque');
		},
		short({response}) {
			response.writeHead(200, {'content-length': '100'});
			response.write('0123456789', () => {
				response.socket!.destroy();
			});
		},
		cut({response}) {
			response.write('0123456789', () => {
				response.socket!.destroy();
			});
		},
		'reset-stream'({response}) {
			const {stream} = response as unknown as Http2ServerResponse;
			response.write('0123456789', () => {
				stream.close(constants.NGHTTP2_INTERNAL_ERROR);
			});
		},
		close({response}) {
			// The end of the connection is the end of the body.
			response.useChunkedEncodingByDefault = false;
			response.shouldKeepAlive = false;
			response.end('until the connection closes');
		},
		rubbish({response}) {
			response.socket!.end('this is no HTTP\r\n\r\n');
		},
		empty({response}) {
			response.writeHead(204);
			response.end();
		},
		'not-modified'({response}) {
			response.writeHead(304, {etag: '"1"'});
			response.end();
		},
		early({response}) {
			response.writeProcessing();
			response.writeEarlyHints({link: '</style.css>; rel=preload; as=style'});
			response.end('after the hints');
		},
		trailers({response}) {
			response.writeHead(200, {trailer: 'x-sum'});
			response.write('body');
			response.addTrailers({'x-sum': '1'});
			response.end();
		},
		cookie({response, argument, searchParams}) {
			response.writeHead(searchParams.has('to') ? 302 : 200, {
				'set-cookie': [`${argument}=1; Path=/`, 'other=2; Path=/'],
				...(searchParams.has('to') && {location: searchParams.get('to')!}),
			});
			response.end('set');
		},
		'bad-cookie'({response}) {
			response.setHeader('set-cookie', 'a=1; Domain=example.org');
			response.end('set');
		},
		page({response, argument}) {
			const next = Number(argument) + 1;
			response.writeHead(200, next <= pages ? {link: `</page/${next}>; rel="next"`} : {});
			response.end(JSON.stringify([`${argument}a`, `${argument}b`]));
		},
		guarded({request, response}) {
			const isKnown = request.headers.authorization === 'Bearer fresh';
			response.writeHead(isKnown ? 200 : 401);
			response.end(isKnown ? 'come in' : 'who are you');
		},
	};

	/** Writes the body of `/steps` in pieces, each after the caller has got the previous one. */
	async answerInSteps(progress: (seen: (transferred: number) => void) => void): Promise<void> {
		const response = await this.held();
		let written = 0;
		progress(transferred => {
			if (transferred !== written) {
				return;
			}

			if (written === steps * stepSize) {
				response.end();
				return;
			}

			written += stepSize;
			response.write('x'.repeat(stepSize));
		});
	}
}

/**
Records everything that a caller can observe of a request, in order.
*/
export class Recorder {
	readonly notes: unknown[] = [];
	readonly #ports: number[] = [];

	/** A port differs in every run, so its index in the order of these calls is recorded. */
	addPort(port: number): void {
		this.#ports.push(port);
	}

	note(what: string, value?: unknown): void {
		this.notes.push([what, this.normalize(value)]);
	}

	/** Records a promise's events and how it settles. */
	async promise(pending: RequestPromise): Promise<unknown> {
		this.#listen(pending as never);
		void pending.on('response', (response: Response) => {
			this.note('response', response.statusCode);
		});
		return this.settle(pending);
	}

	/** Records how anything settles. */
	async settle(pending: Promise<unknown>): Promise<unknown> {
		try {
			const value = await pending;
			this.note('resolved', isResponse(value) ? this.#response(value) : value);
			return value;
		} catch (error) {
			this.note('rejected', this.error(error));
			return undefined;
		}
	}

	/**
	Records a stream's events and reads it to its end, or to its error.

	@param read - Reads it in another way.
	*/
	async stream(stream: Request, read: (stream: Request) => Promise<unknown> = readAll): Promise<void> {
		this.watch(stream);
		const closed = new Promise<void>(resolve => {
			stream.once('close', resolve);
			stream.once('end', resolve);
		});
		try {
			this.note('read', await read(stream));
		} catch (error) {
			this.note('failed', this.error(error));
		}

		await closed;
		const response = stream.response as Response | undefined;
		this.note('stream', {
			isFromCache: stream.isFromCache,
			retryCount: stream.retryCount,
			isAborted: stream.isAborted,
			downloadProgress: stream.downloadProgress,
			uploadProgress: stream.uploadProgress,
			timings: shapeOf(stream.timings),
			destroyed: stream.destroyed,
			response: response === undefined ? undefined : this.#response(response),
		});
	}

	watch(stream: Request): void {
		this.#listen(stream);
		stream.on('response', (response: Response) => {
			this.note('response', {...this.#response(response), body: undefined, rawBody: undefined});
		});
		stream.on('error', (error: unknown) => {
			this.note('error', this.error(error));
		});
	}

	error(error: unknown): unknown {
		if (!(error instanceof Error)) {
			return this.normalize(error);
		}

		const {name, code, message, cause, options, response, timings, request} = error as RequestError & {readonly response?: Response};
		return this.normalize({
			constructor: error.constructor.name,
			name,
			code,
			message,
			event: (error as {event?: unknown}).event,
			cause: cause instanceof Error ? {name: cause.name, message: cause.message} : cause,
			options: describeOptions(options),
			response: response === undefined ? undefined : this.#response(response),
			timings: shapeOf(timings),
			isOfRequest: request?.options === options,
			keys: Object.keys(error).toSorted(),
		});
	}

	/** Replaces values that differ in every run by words. */
	normalize(value: unknown): unknown {
		if (typeof value === 'string') {
			return value
				.replaceAll(/(?:127\.0\.0\.1|localhost):(?<port>\d+)/gv, (_match, port: string) => `origin-${this.#ports.indexOf(Number(port))}`)
				.replaceAll(/-{4}formdata-undici-\d+|form-data-encoder-[\da-z]+/giv, 'boundary');
		}

		if (value instanceof URL) {
			return this.normalize(value.href);
		}

		if (ArrayBuffer.isView(value)) {
			return this.normalize(`bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')}`);
		}

		if (Array.isArray(value)) {
			const list = value as unknown[];
			return list.map((item, index) => typeof list[index - 1] === 'string' && (list[index - 1] as string).toLowerCase() === 'date' ? 'a date' : this.normalize(item));
		}

		return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === 'date' ? 'a date' : this.normalize(item)])) : value;
	}

	#listen(request: Pick<Request, 'on'>): void {
		request.on('request', ({method, path, getHeaders}: ClientRequest) => {
			this.note('request', {method, path, hasHeaders: typeof getHeaders});
		});
		request.on('redirect', (options: Options, response: Response) => {
			this.note('redirect', {options: describeOptions(options), statusCode: response.statusCode, url: response.url});
		});
		request.on('uploadProgress', (progress: Progress) => {
			this.note('uploadProgress', progress);
		});
		request.on('downloadProgress', (progress: Progress) => {
			this.note('downloadProgress', progress);
		});
	}

	#response(response: Response): Record<string, unknown> {
		return this.normalize({
			statusCode: response.statusCode,
			statusMessage: response.statusMessage,
			httpVersion: response.httpVersion,
			headers: response.headers,
			rawHeaders: response.rawHeaders,
			trailers: response.trailers,
			body: response.body,
			rawBody: response.rawBody as unknown,
			url: response.url,
			requestUrl: response.requestUrl,
			redirectUrls: response.redirectUrls,
			retryCount: response.retryCount,
			ok: response.ok,
			ip: response.ip,
			timings: shapeOf(response.timings),
			isFromCache: response.isFromCache,
			complete: response.complete,
			aborted: (response as {aborted?: boolean}).aborted,
			sent: describeOptions(response.request.options),
			keys: Object.keys(response).filter(key => !key.startsWith('_')).toSorted(),
		}) as Record<string, unknown>;
	}
}

/** The hooks are left out: the cache's own is among them. */
function describeOptions(options: Options | undefined): unknown {
	return options && {
		url: options.url,
		method: options.method,
		headers: {...options.headers},
		body: typeof options.body === 'object' ? 'an object' : options.body,
		context: Object.keys(options.context),
		request: options.request?.name,
		calculateDelay: options.retry.calculateDelay?.name,
		hasCookieJar: options.cookieJar !== undefined,
	};
}

function shapeOf(timings: unknown): unknown {
	return typeof timings === 'object' && timings !== null
		? Object.fromEntries(Object.entries(timings).map(([key, value]) => [key, shapeOf(value)]))
		: typeof timings;
}

function isResponse(value: unknown): value is Response {
	return typeof value === 'object' && value !== null && 'requestUrl' in value;
}

async function readAll(stream: Request): Promise<string> {
	const chunks = await Array.fromAsync(stream as AsyncIterable<Uint8Array>);
	return Buffer.concat(chunks).toString('latin1');
}

type Kind = {
	readonly name: string;
	readonly cache: () => ExtendOptions;
};

/** The settings of a cache in which each request is a miss and is stored, even if a scenario repeats it. */
const missing = (): CacheSettings => {
	let count = 0;
	// Only a cached client has `Cache-Status`, which other tests cover.
	return {cacheStatus: false, keyFn: (request, createKey) => `${createKey(request)}:${count++}`};
};

const kinds: readonly Kind[] = [
	{name: 'plain', cache: () => ({})},
	{name: 'a cache that answers at once', cache: () => cacheHooks({...missing(), store: 'memory'})},
	{name: 'a cache that answers later', cache: () => cacheHooks({...missing(), store: new Map()})},
];

type Recording = {
	readonly notes: readonly unknown[];

	/** The requests that the origin got. */
	readonly asked: unknown;

	/** The errors that the cache did not pass to the request. */
	readonly faults: readonly unknown[];
};

/** Starts the origin of a scenario. */
export type Start = (handler: Handler) => Promise<Pick<Origin, 'url' | 'requests'> & AsyncDisposable>;

async function play({run}: Scenario, instance: Got, kind: Kind, start: Start): Promise<Recording> {
	const site = new Site();
	await using origin = await start(site.handler);
	const recorder = new Recorder();
	recorder.addPort(Number(new URL(origin.url).port));
	const base = instance.extend({retry: {limit: 0}});
	const cache = kind.cache();
	const client = base.extend(cache);
	const cached = cache.hooks === undefined ? undefined : getCache(client);
	const faults: unknown[] = [];
	for (const event of ['storeError', 'settingError', 'backgroundError', 'internalError'] as const) {
		cached?.on(event, (fault: {error: unknown}) => {
			faults.push([event, String(fault.error)]);
		});
	}

	await run({
		client,
		url: origin.url,
		site,
		recorder,
		clientAfter: options => base.extend(options, cache),
	});
	await cached?.idle();
	return {notes: recorder.notes, asked: recorder.normalize(origin.requests), faults};
}

function without(value: unknown, fields: readonly string[] = []): unknown {
	if (Array.isArray(value)) {
		return value.map(item => without(item, fields));
	}

	return typeof value === 'object' && value !== null
		? Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)).map(([name, item]) => [name, without(item, fields)]))
		: value;
}

/**
Runs a scenario with a plain instance and with cached ones, and compares the recordings.
*/
export async function compare(t: ExecutionContext, scenario: Scenario, instance: Got, start: Start = Origin.start): Promise<void> {
	const [plainKind, ...cachedKinds] = kinds;
	const plain = await play(scenario, instance, plainKind!, start);
	t.true(plain.notes.length > 0, 'The scenario records something');
	for (const kind of cachedKinds) {
		const cached = await play(scenario, instance, kind, start);
		t.deepEqual(without(cached.notes, scenario.except), without(plain.notes, scenario.except), kind.name);
		t.deepEqual(cached.asked, plain.asked, kind.name);
		t.deepEqual(cached.faults, [], kind.name);
	}
}

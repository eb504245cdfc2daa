import {setImmediate as turn} from 'node:timers/promises';
import type {Request, RequestPromise, Response} from 'got';
import type {Desk, Way} from './play.ts';

/** Nothing that a caller is given may wait for good. */
const patience = 200;

type Reading = 'json' | 'text' | 'buffer';

export const plainly: Way = {
	title: 'awaited',
	async run({client, url, options, settle}) {
		await settle(client(url, options));
	},
};

export const alone: readonly Way[] = (['json', 'text', 'buffer'] as const).map(name => ({
	title: `.${name}()`,
	async run({client, url, options, settle}: Desk) {
		await settle(client(url, options)[name]());
	},
}));

/** Whoever listens writes down what it hears. */
function listener(desk: Desk, how: string): (event: string) => [never, never] {
	return event => [event as never, ((...heard: unknown[]) => {
		desk.recorder.note(`${how} ${event}`, heard.length);
	}) as never];
}

const events = ['request', 'response', 'redirect', 'uploadProgress', 'downloadProgress'];

export const ways: readonly Way[] = [
	plainly,
	...alone,
	{
		title: 'json, text and buffer of one promise',
		async run({client, url, options, settle}) {
			const pending = client(url, options);
			const readings = [pending.json(), pending.text(), pending.buffer()];
			for (const one of [pending, ...readings]) {
				await settle(one);
			}
		},
	},
	{
		title: 'json, text and buffer when the response is there',
		async run({client, url, options, recorder, settle}) {
			const pending = client(url, options);
			await settle(pending);
			const response = await pending.catch(() => undefined) as Response | undefined;
			for (const name of ['json', 'text', 'buffer', 'json'] satisfies Reading[]) {
				const reading = pending[name]();
				await settle(reading);
				await reading.catch((error: unknown) => {
					const {response: of, request, options: by} = error as {response?: Response; request?: unknown; options?: unknown};
					recorder.note('error of', [of === response, request === response?.request, by === response?.request.options]);
				});
			}

			recorder.note('headers', {...response?.request.options.headers});
		},
	},
	{
		title: 'a reading of a reading',
		async run({client, url, options, settle}) {
			const json = client(url, options).json() as RequestPromise;
			await settle(json.text());
			await settle(json.buffer());
		},
	},
	{
		title: 'listened to from the beginning',
		async run({client, url, options, recorder}) {
			await recorder.promise(client(url, options));
		},
	},
	{
		title: 'listened to once, and no more',
		async run(desk) {
			const {client, url, options, settle, recorder} = desk;
			const pending = client(url, options);
			const [, gone] = listener(desk, 'off')('response');
			for (const event of events) {
				void pending.once(...listener(desk, 'once')(event));
			}

			void pending.on('response' as never, gone);
			recorder.note('is itself', pending.off('response' as never, gone) === pending);
			await settle(pending);
		},
	},
	{
		title: 'listened to by its reading',
		async run(desk) {
			const {client, url, options, settle} = desk;
			const text = client(url, options).text() as RequestPromise;
			for (const event of events) {
				void text.on(...listener(desk, 'on')(event));
			}

			await settle(text);
		},
	},
	{
		title: 'listened to when it is over',
		async run(desk) {
			const {client, url, options, settle} = desk;
			const pending = client(url, options);
			await settle(pending);
			for (const event of events) {
				void pending.on(...listener(desk, 'late')(event));
				void pending.off(...listener(desk, 'late')(event));
			}

			await turn();
		},
	},
	{
		title: 'what is returned',
		async run({client, url, options, recorder, settle}) {
			const pending = client(url, options);
			recorder.note('promise', {
				isPromise: pending instanceof Promise,
				isOfPromise: Object.getPrototypeOf(pending) === Promise.prototype,
				isResolvedAs: Promise.resolve(pending) === pending as unknown,
				members: Object.entries(Object.getOwnPropertyDescriptors(pending)).map(([name, descriptor]) => [name, typeof descriptor.value, (descriptor.value as {length?: number}).length, descriptor.enumerable, descriptor.writable, descriptor.configurable]),
			});
			await settle(pending.finally(() => {
				recorder.note('finally');
			}));
			const text = pending.text();
			recorder.note('reading', Object.keys(text));
			await settle(text);
		},
	},
	{
		title: 'by the method\'s name',
		isSequence: true,
		async run({client, url, options, settle}) {
			await settle(client.get(url, options));
			await settle(client.head(url, options));
			await settle(client.post(url, options).text());
			await settle(client.get(url, options).text());
		},
	},
	{
		title: 'by a URL object, which is left alone',
		async run({client, url, options, settle, recorder}) {
			const where = new URL(url);
			await settle(client(where, options));
			recorder.note('where', where);
		},
	},
	{
		title: 'by options alone',
		async run({client, url, options, settle}) {
			await settle(client({...options, url} as never));
			await settle(client({...options, prefixUrl: url} as never));
		},
	},
	{
		title: 'three at once',
		async run({client, url, options, settle}) {
			const all = [client(url, options), client(url, options).text(), client(url, options)];
			await Promise.allSettled(all);
			for (const one of all) {
				await settle(one);
			}
		},
	},
	{
		title: 'by the stream',
		async run({client, url, options, recorder}) {
			await recorder.stream(client.stream(url, options));
		},
	},
	{
		title: 'page by page',
		isSequence: true,
		async run({client, url, options, recorder, settle}) {
			await settle(client.paginate.all(url, {
				...options,
				pagination: {
					transform(response: Response) {
						recorder.note('page', response.url);
						return [response.body];
					},
					requestLimit: 2,
				},
			} as never));
		},
	},
	{
		title: 'a response that is read as a stream',
		async run({client, url, options, recorder, settle}) {
			const response = await client(url, options).catch(() => undefined) as Response | undefined;
			if (typeof response?.toArray !== 'function') {
				return;
			}

			recorder.note('read', response.read() as unknown);
			await settle(Promise.race([response.toArray(), new Promise(resolve => {
				setTimeout(resolve, patience, 'nothing');
			})]));
			recorder.note('destroyed', response.destroy() === response);
			response.resume();
			recorder.note('state', {errored: response.errored, closed: response.closed});
		},
	},
	{
		title: 'a response that is changed by who got it',
		isSequence: true,
		async run({client, url, options, recorder, settle}) {
			const response = await client(url, options).catch(() => undefined) as (Response & Record<string, unknown>) | undefined;
			if (typeof response?.rawBody === 'object') {
				const {headers, rawHeaders, rawBody, redirectUrls, requestUrl, request} = response;
				headers.mine = 'mine';
				rawHeaders.push('mine', 'mine');
				rawBody.fill(120);
				redirectUrls.push(new URL('https://example.com'));
				requestUrl.hash = 'mine';
				request.options.headers.mine = 'mine';
				request.options.context.mine = 'mine';
				response.body = 'mine';
				response.mine = 'mine';
				recorder.note('changed', response.body);
			}

			await settle(client(url, options));
		},
	},
	{
		title: 'bytes that are changed before they are read again',
		async run({client, url, options, settle}) {
			const pending = client(url, options);
			const response = await pending.catch(() => undefined) as Response | undefined;
			if (typeof response?.rawBody !== 'object') {
				return;
			}

			// Got 15 keeps the text of what came piece by piece, and reads JSON from that.
			const isOfBytes = url.endsWith('/json');
			for (const change of ['1', '"another"', 'broken']) {
				response.rawBody = new TextEncoder().encode(change);
				await settle(pending.text());
				await settle(pending.buffer());
				if (isOfBytes) {
					await settle(pending.json());
				}
			}

			response.rawBody.fill(49);
			await settle(pending.text());
		},
	},
];

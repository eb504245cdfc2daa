import http, {Agent} from 'node:http';
import type {ExtendOptions, OptionsInit} from 'got';
import {CookieJar} from 'tough-cookie';
import type {Draft, Stage} from './play.ts';

/** One thing that may be otherwise. */
export type Twist = {
	readonly title: string;
	readonly apply: (draft: Draft) => void;
};

function option(title: string, made: object | ((stage: Stage) => object)): Twist {
	return {
		title,
		apply({options}) {
			options.push(made);
		},
	};
}

/** What would be an error by itself must be one where there is an answer as well. */
function ofStored({title, apply}: Twist): Twist {
	return {
		title,
		apply(draft) {
			draft.isStored = true;
			apply(draft);
		},
	};
}

/** What a request is given, and what its instance was. */
function everywhere(title: string, made: object | ((stage: Stage) => object)): Twist[] {
	return [
		option(title, made),
		{
			title: `${title}, of the instance`,
			apply({before}) {
				before.push(made);
			},
		},
		{
			title: `${title}, of an extended one`,
			apply({after}) {
				after.push((client, stage) => client.extend((typeof made === 'function' ? made(stage) : made) as ExtendOptions));
			},
		},
	];
}

const path = (title: string, where: string): Twist => ({
	title,
	apply(draft) {
		draft.path = where;
	},
});

/** What the origin answers. */
export const paths: readonly Twist[] = [
	path('a text', '/text'),
	path('bytes', '/bytes'),
	path('no JSON', '/bad-json'),
	path('an empty body', '/made/empty'),
	path('no content', '/empty'),
	path('a body that begins with a mark', '/made/marked'),
	path('JSON that begins with a mark', '/made/marked-json'),
	path('404', '/status/404'),
	path('500', '/status/500'),
	path('206', '/status/206'),
	path('a redirect', '/redirect/302?to=/text'),
	path('a redirect for good', '/redirect/301?to=/json'),
	path('a redirect to an error', '/redirect/302?to=/status/404'),
	path('gzip', '/coded/gzip'),
	path('a coding that is unknown', '/unknown-coding'),
	path('cookies', '/cookie/a'),
	path('trailers', '/trailers'),
	path('hints', '/early'),
	path('what was asked', '/echo'),
	path('a query', '/echo?b=2&a=1#fragment'),
	path('Vary: Accept', '/made/json?vary=accept'),
	path('Vary: Accept-Encoding', '/made/json?vary=accept-encoding'),
	path('Vary: *', '/made/json?vary=*'),
	path('no-store', '/made/json?cache-control=no-store'),
	path('a validator', '/made/json?etag=%221%22'),
	path('a status message', '/status/418'),
	path('a body that is cut off', '/short'),
];

const hookNames = ['beforeRequest', 'beforeRedirect', 'beforeError', 'beforeRetry', 'afterResponse', 'init'] as const;

/** A hook of each kind, which tells that it ran. */
function noting(name: typeof hookNames[number]): (stage: Stage) => object {
	return ({recorder}) => ({
		hooks: {
			[name]: [(subject: unknown) => {
				recorder.note(name, typeof subject);
				return name === 'afterResponse' || name === 'beforeError' ? subject : undefined;
			}],
		},
	});
}

/** What Got refuses. */
const refused: readonly Twist[] = [
	option('an option that is unknown', {nonsense: true}),
	option('an option that is unknown, before others', {nonsense: true, headers: {mine: 'mine'}}),
	option('an option that is unknown, behind others', {headers: {mine: 'mine'}, nonsense: true}),
	option('a timeout that is none', {timeout: 'soon'}),
	option('headers that are none', {headers: 'mine'}),
	option('a method that is none', {method: 5}),
	option('a hook that is unknown', {hooks: {beforeNothing: []}}),
	option('a hook that is none', {hooks: {beforeRequest: ['mine']}}),
	option('init hooks that are none', {hooks: {init: {}}}),
	option('init hooks that are a text', {hooks: {init: 'mine'}}),
	option('hooks that are null', {hooks: null}),
	option('a header that is null', {headers: {mine: null}}),
	option('two hosts', {headers: {host: ['a', 'b']}}),
	option('a context that is none', {context: 'mine'}),
	option('a context that is null', {context: null}),
	option('a kind of body that is unknown', {responseType: 'xml'}),
	option('parameters that are none', {searchParams: new Map([['a', '1']])}),
	option('a URL beside the URL', {url: 'http://127.0.0.1'}),
	option('a prefix that is none', {prefixUrl: 5}),
	option('a body of a GET', {body: 'mine'}),
	option('a signal that is none', {signal: 'mine'}),
	option('a retry that is none', {retry: 'often'}),
	option('an unusable encoding', {encoding: 'nonsense'}),
	option('handlers in a request', {handlers: [() => 'mine']}),
];

const aborted = (when: (controller: AbortController) => void) => (): object => {
	const controller = new AbortController();
	when(controller);
	return {signal: controller.signal};
};

const signals: readonly Twist[] = [
	option('a signal that is quiet', aborted(() => {})),
	option('a signal that was aborted before', aborted(controller => {
		controller.abort();
	})),
	option('a signal that was aborted with a reason', aborted(controller => {
		controller.abort(new Error('mine'));
	})),
	option('a signal that is aborted right after the call', aborted(controller => {
		queueMicrotask(() => {
			controller.abort();
		});
	})),
	option('a signal that is aborted when all is over', ({disposables}: Stage) => {
		const controller = new AbortController();
		disposables.defer(() => {
			controller.abort();
		});
		return {signal: controller.signal};
	}),
	option('a signal that has timed out', () => ({signal: AbortSignal.abort(new DOMException('late', 'TimeoutError'))})),
];

const own: readonly Twist[] = [
	...everywhere('JSON wanted', {responseType: 'json'}),
	...everywhere('bytes wanted', {responseType: 'buffer'}),
	...everywhere('the body alone', {resolveBodyOnly: true}),
	option('JSON alone', {resolveBodyOnly: true, responseType: 'json'}),
	...everywhere('errors are none', {throwHttpErrors: false}),
	...['latin1', 'utf8', ['utf', '8'].join('-'), 'utf16le', 'base64'].map(encoding => option(`as ${encoding}`, {encoding})),
	...everywhere('a reader of JSON', {parseJson: (text: string) => ({mine: JSON.parse(text) as unknown})}),
	option('Got\'s reader of JSON', {parseJson: JSON.parse}),
	...everywhere('redirects are not followed', {followRedirect: false}),
	option('redirects are followed as a function says', {followRedirect: () => false}),
	...everywhere('a header', {headers: {mine: 'mine'}}),
	...everywhere('Accept', {headers: {accept: 'text/plain'}}),
	...['no-cache', 'no-store', 'max-age=0', 'only-if-cached', 'max-age=1000'].map(directive => option(directive, {headers: {'cache-control': directive}})),
	option('a header in capitals', {headers: {'ACCEPT-LANGUAGE': 'de'}}),
	option('a header twice', {headers: {mine: ['1', '2']}}),
	option('no agent\'s name', {headers: {'user-agent': undefined}}),
	option('Accept-Encoding', {headers: {'accept-encoding': 'identity'}}),
	option('no Accept-Encoding', {headers: {'accept-encoding': undefined}}),
	option('no Accept', {headers: {accept: undefined}}),
	option('a precondition', {headers: {'if-none-match': '"1"'}}),
	option('a range', {headers: {range: 'bytes=0-3'}}),
	...everywhere('Authorization', {headers: {authorization: 'Bearer mine'}}),
	option('no Authorization', {headers: {authorization: undefined}}),
	option('cookies of one\'s own', {headers: {cookie: 'a=1'}}),
	option('a host of one\'s own', {headers: {host: 'example.com'}}),
	option('another method by a header', {headers: {'x-http-method-override': 'DELETE'}}),
	...everywhere('parameters', {searchParams: {c: 'd e', f: 1}}),
	option('parameters as a text', {searchParams: 'c=d'}),
	option('parameters that are undefined', {searchParams: undefined}),
	...everywhere('a user and a password', {username: 'käthe', password: 'p:w'}),
	option('certificates that are not asked for', {https: {rejectUnauthorized: false}}),
	option('a certificate', {https: {certificate: 'mine', key: 'mine'}}),
	// Got 15 counts nothing, and finds it too short, where a cookie jar is asked as well.
	...everywhere('nothing is decoded', {decompress: false, strictContentLength: false}),
	...everywhere('lengths are not compared', {strictContentLength: false}),
	option('lengths are compared', {strictContentLength: true}),
	option('a time limit', {timeout: {request: 5000}}),
	option('another time limit', {timeout: {response: 5000, connect: 5000}}),
	...everywhere('a cookie jar', () => ({cookieJar: new CookieJar()})),
	...hookNames.flatMap(name => everywhere(`a ${name} hook`, noting(name))),
	option('an afterResponse hook that changes the body', {hooks: {afterResponse: [(response: {body: unknown}) => Object.assign(response, {body: 'mine'})]}}),
	option('a beforeRequest hook that answers', ({recorder}: Stage) => ({
		hooks: {
			beforeRequest: [() => {
				recorder.note('answers');
			}],
		},
	})),
	...everywhere('a context', {context: {mine: 1}}),
	option('HEAD', {method: 'HEAD'}),
	option('a method in small letters', {method: 'get'}),
	option('POST', {method: 'POST', body: 'mine'}),
	option('a GET with JSON', {json: {mine: 1}, allowGetBody: true}),
	option('a stream', {isStream: true}),
	option('Got\'s own cache', () => ({cache: new Map()})),
	option('an agent', () => ({agent: {http: new Agent()}})),
	option('HTTP/2', {http2: true}),
	option('retries', {retry: {limit: 1, calculateDelay: ({computedValue}: {computedValue: number}) => Math.min(computedValue, 1)}}),
	option('a request function', ({recorder}: Stage) => ({
		request(...sent: Parameters<typeof http.request>) {
			recorder.note('sent');
			return http.request(...sent);
		},
	})),
	option('a long head is refused', {maxHeaderSize: 10}),
	option('everything undefined', {
		timeout: undefined, headers: undefined, context: undefined, responseType: undefined, signal: undefined,
	}),
];

export const optionTwists: readonly Twist[] = [...[...refused, ...signals].map(twist => ofStored(twist)), ...own];

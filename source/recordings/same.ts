import {Buffer} from 'node:buffer';
import {isDeepStrictEqual} from 'node:util';
import {bodyBytes, type StoredResponse} from '../entry/stored-response.ts';
import {fieldLines, type Fields} from '../policy/fields.ts';

/** The headers that differ from one response to the next though nothing has changed: times, names of one exchange, what one server of many says of itself, and how many requests are left. */
const passingHeaders = new Set([
	'age',
	'cf-cache-status',
	'cf-ray',
	'connection',
	'date',
	'expires',
	'keep-alive',
	'nel',
	'report-to',
	'server-timing',
	'set-cookie',
	'traceparent',
	'tracestate',
	'via',
	'x-amz-cf-id',
	'x-amz-cf-pop',
	'x-amz-id-2',
	'x-cache',
	'x-cache-hits',
	'x-cloud-trace-context',
	'x-fb-debug',
	'x-runtime',
	'x-served-by',
	'x-timer',
	'x-vercel-id',
]);

/** Their kinds: ids of requests and traces, rate limits, and how long something took, whatever words come before. */
const passingKinds = [
	/(?:^|-)(?:request|trace|span|parent|correlation|transaction|invocation|apigw|upload)-?id$/v,
	/(?:^|-)(?:ratelimit|rate-limit)(?:-|$)/v,
	/^(?:x-)?b3(?:-|$)/v,
	/(?:^|-)(?:latency|(?:response|request|processing|process|service|execution|elapsed|query)-(?:time|ms|duration))$/v,
];

/** Whether a header says something of one exchange only, and nothing of what the origin has. */
export function isPassing(name: string): boolean {
	return passingHeaders.has(name) || passingKinds.some(kind => kind.test(name));
}

/** Whether two responses to one request are equal but for what differs each time, so that the older recording may stay as it is. */
export function isSameResponse(one: StoredResponse, other: StoredResponse): boolean {
	return one.statusCode === other.statusCode
		&& one.statusMessage === other.statusMessage
		&& Buffer.compare(bodyBytes(one.body), bodyBytes(other.body)) === 0
		&& isDeepStrictEqual(lasting(one.fields), lasting(other.fields))
		&& isDeepStrictEqual([one.vary, one.tags, one.expires, one.decidedBy], [other.vary, other.tags, other.expires, other.decidedBy]);
}

function lasting(fields: Fields): object {
	return Object.fromEntries(Object.keys(fields).filter(name => !isPassing(name)).map(name => [name, fieldLines(fields, name)]));
}

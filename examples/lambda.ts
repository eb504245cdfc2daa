/*
An AWS Lambda function whose responses lie in a DynamoDB table, shared by all of its instances. The platform freezes the process as soon as the handler is done; so what is still to be written, and what is refreshed in the background, is handed to `waitUntil`, or waited for where the runtime has none.

Deploy it with Node.js 22 or later, `AWS_REGION`, a role that may read and write the table, and the table itself: `http_cache`, with the key and TTL that the page about stores names. On your own machine,

	node lambda.ts https://example.com/

calls the handler twice, as the platform would.
*/
import process from 'node:process';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	createStore,
	getCache,
} from 'got-cache-hooks';

const isLambda = process.env.AWS_LAMBDA_FUNCTION_NAME !== undefined;

// Made once for each instance of the function, and not for each call.
const store = createStore('dynamodb', {tableName: 'http_cache', createTable: !isLambda});
const client = got.extend(cacheHooks({
	store,
	expireAfter: '5m',
	staleWhileRevalidate: '1h',
	staleIfError: true,
	// The first call of an instance loads the SDK and signs in.
	storeTimeout: 5000,
	autoclose: true,
}));

type Event = {readonly url: string};

/** Lambda's own context has no `waitUntil`; those of Vercel, Netlify and several wrappers have. */
type Context = {readonly waitUntil?: (promise: Promise<unknown>) => void};

export async function handler({url}: Event, context: Context): Promise<{statusCode: number; headers: Record<string, string>; body: string}> {
	const response = await client(url);
	const written = getCache(client).idle();
	if (context.waitUntil === undefined) {
		await written;
	} else {
		context.waitUntil(written);
	}

	return {statusCode: response.statusCode, headers: {'x-cache': cacheInfo(response).reason}, body: response.body};
}

if (!isLambda) {
	const url = process.argv[2] ?? 'https://example.com/';
	// The first call makes the table, which may take longer than a request waits for a store.
	await store.get('anything');

	console.log(await handler({url}, {}));

	const promises: Array<Promise<unknown>> = [];
	const waitUntil = (promise: Promise<unknown>) => {
		promises.push(promise);
	};

	console.log(await handler({url}, {waitUntil}));
	await Promise.all(promises);

	await getCache(client).close();
}

import {channel, type Channel} from 'node:diagnostics_channel';

/**
A call of a store, once it has ended or exceeded its time limit, as the diagnostics channel `got-cache-hooks:storeCall` publishes it.

@example
```ts
import {subscribe} from 'node:diagnostics_channel';
import got from 'got';
import {cacheHooks, type StoreCallEvent} from 'got-cache-hooks';

subscribe('got-cache-hooks:storeCall', message => {
	const {store, operation} = message as StoreCallEvent;
	console.log(store, operation);
});

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
await client('https://api.example.com/users/1');
//=> memory get
//=> memory set
```
*/
export type StoreCallEvent = {
	/** The name of the store, such as `'sqlite'`. */
	readonly store: string;

	/** The `cacheName` of the cache. */
	readonly cacheName: string;

	/** The method of the store, such as `'get'`. Each step of an iteration is a call. */
	readonly operation: string;

	/** How long the call took, in milliseconds. */
	readonly milliseconds: number;

	/** The code of the error, or the name of its class. Absent if the call succeeded. */
	readonly errorType?: string;
};

/** The diagnostics channel of the calls of all stores in this process. Where nobody listens, no call is measured. */
export const storeCalls: Channel = channel('got-cache-hooks:storeCall');

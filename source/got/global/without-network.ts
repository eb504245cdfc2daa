import {refusingNetwork} from '../../exchange/network.ts';

/**
Runs a function in whose call tree, and only there, caches let nothing out: what would be sent is an error that names the request. Where the process was started with `got-cache-hooks/register`, it is so for Got instances without a cache, too.

@returns What the function returns.
@throws {CacheHooksError} `ERR_NO_NETWORK`, as the cause of Got's `RequestError`, where a request would be sent.

@example
```
await withoutNetwork(async () => client('https://example.com'));
```
*/
export function withoutNetwork<Result>(action: () => Result): Result {
	return refusingNetwork(action);
}

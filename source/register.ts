/**
The entry point for `node --import got-cache-hooks/register app.js`. Every copy of Got that is loaded after it can have a cache: at once when there are `GOT_CACHE_*` variables or a `got-cache.config.js`, otherwise when `installCache()` is called.
*/
import {register} from './got/global/register.ts';

await register();

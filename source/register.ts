/**
The entry of `node --import got-cache-hooks/register app.js`: from here on each Got that is loaded can be given a cache. It has one at once where `GOT_CACHE_*` variables or a `got-cache.config.js` say so, else when `installCache()` is called.
*/
import {register} from './got/global/register.ts';

await register();

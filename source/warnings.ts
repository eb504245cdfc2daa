import process from 'node:process';

const more = (event: string): string => `Listen to the event \`${event}\` of the cache for all faults of this kind, with their messages: this warning comes only once.`;

/**
The warnings of this library by their codes: what is wrong, and what to do.

None contains a credential: callers pass names, codes, paths and redacted URLs, and no messages of foreign errors.
*/
/* eslint-disable @typescript-eslint/naming-convention -- They are codes, as those of Node.js. */
const texts = {
	GOT_CACHE_STORE_ERROR: (operation: string, fault: string): string => `${operation === 'decode'
		? `An entry of the store could not be read, and counts as absent: ${fault}`
		: `A call of the store (\`${operation}\`) failed, and the request went on without the store: ${fault} Check the setting \`store\`; \`await getCache(client).ready()\` at the start of a program throws such a fault.`} ${more('storeError')}`,
	GOT_CACHE_SETTING_ERROR: (setting: string, fault: string): string => `The function of \`${setting}\` failed, so that ${setting === 'Invalidates' ? 'nothing was deleted' : 'a response was not cached'}: ${fault} Correct the function. ${more('settingError')}`,
	GOT_CACHE_BACKGROUND_ERROR: (fault: string): string => `A refresh in the background failed, and the stored response stays: ${fault} ${more('backgroundError')}`,
	GOT_CACHE_INTERNAL_ERROR: (fault: string): string => `got-cache-hooks has a fault, which did not harm the request: ${fault} Please report it. ${more('internalError')}`,
	GOT_CACHE_LISTENER_ERROR: (event: string, fault: string): string => `A listener of the event \`${event}\` threw: ${fault} Correct the listener. Later errors of listeners are ignored.`,
	GOT_CACHE_TWO_CACHES: (): string => 'A request has Got\'s own option `cache` beside the cache of got-cache-hooks, which is not used then: nothing is read from it, and nothing is stored. Remove the option `cache` of Got, or do not extend the instance with `cacheHooks()`.',
	GOT_CACHE_URL_PATTERN: (path: string, reasons: string): string => `\`${path}\` has a pattern that never has an effect. ${reasons} A glob is compared with the URL without its scheme, from the host on: \`example.com/users\` or \`*/users\`.`,
	GOT_CACHE_UNKNOWN_TRUST: (reason: string): string => `${reason}. Set a name for it with the cache setting \`trust\`.`,
	GOT_CACHE_UNSUPPORTED_GOT: (version: string, folder: string, supported: string): string => `The requests of Got ${version} in ${folder} are not cached, since got-cache-hooks needs ${supported}.`,
	GOT_CACHE_NOT_REACHED: (): string => 'A request of a Got that got-cache-hooks/register does not reach was not cached. This copy of Got was loaded before the register, or not by Node.js itself: it is part of a bundle, is inlined by Vite, Vitest or Next.js, or runs in a VM context of Jest or Vitest. Extend its instances with `cacheHooks()`, or see docs/runners.md.',
	GOT_CACHE_NO_HOOKS: (): string => 'got-cache-hooks/register has no effect, since this runtime has no `module.registerHooks()`. Extend instances with `cacheHooks()`.',
	GOT_CACHE_KEYV_FILE: (): string => '`keyv-file` stores all its entries in one file, which each process reads once and writes as a whole: several processes lose each other\'s entries, and a process that is killed during a write loses all of them. Set `separatedFile: true`, or use the store `\'sqlite\'` or `\'filesystem\'`.',
	GOT_CACHE_KEYV_MONGO: (): string => 'An adapter of `@keyv/mongo` could not connect, and will not try again: its calls never answer, and each takes the whole `storeTimeout`. Make another adapter when the server is available, or use the store `\'@keyv/mongo\'` or `\'mongodb\'`, which connect again.',
	GOT_CACHE_KEYV_GRIDFS: (): string => '`@keyv/mongo` with `useGridFS` adds a revision with each write, reads all files to list its keys, and ends the process by an uncaught error if its connection fails during a write. Use the store `\'gridfs\'`.',
};
/* eslint-enable @typescript-eslint/naming-convention */

export type WarningCode = keyof typeof texts;

const emitted = new Set<string>();

/** Whether a warning was emitted. */
export function isWarned(code: WarningCode): boolean {
	return emitted.has(code);
}

/**
Emits a warning of the process, once for each code; that of an unsupported Got once for each copy.

`--no-warnings` and `NODE_NO_WARNINGS=1` turn it off, and so does `--disable-warning=<code>`; `--disable-warning=GotCacheHooksWarning` turns off all warnings of this library.
*/
export function warnOnce<Code extends WarningCode>(code: Code, ...details: Parameters<(typeof texts)[Code]>): void {
	const makeText: (...words: readonly string[]) => string = texts[code];
	const text = makeText(...details);
	const kind = code === 'GOT_CACHE_UNSUPPORTED_GOT' ? text : code;
	if (emitted.has(kind)) {
		return;
	}

	emitted.add(kind);
	process.emitWarning(text, {type: 'GotCacheHooksWarning', code});
}

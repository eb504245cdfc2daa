import process from 'node:process';

/** What an adapter does that cannot be guarded against, and what to do instead. */
const warnings = {
	'keyv-file': {
		code: 'GOT_CACHE_KEYV_FILE',
		text: '`keyv-file` keeps all its entries in one file, which each process reads once and writes as a whole: of several processes each loses what the others wrote, and a process that is killed while it writes loses everything. Give it `separatedFile: true`, or use the store `\'sqlite\'` or `\'filesystem\'`.',
	},
	'@keyv/mongo': {
		code: 'GOT_CACHE_KEYV_MONGO',
		text: 'An adapter of `@keyv/mongo` could not connect, and will not try again: its calls never answer, and each takes the whole `storeTimeout`. Make another one when the server is there, or use the store `\'@keyv/mongo\'` or `\'mongodb\'`, which connect again.',
	},
	'@keyv/mongo useGridFS': {
		code: 'GOT_CACHE_KEYV_GRIDFS',
		text: '`@keyv/mongo` with `useGridFS` adds a revision with each write, reads all files to list its keys, and ends the process by an uncaught error when its connection fails during a write. Use the store `\'gridfs\'`.',
	},
} as const;

const given = new Set<string>();

/** Warns of an adapter, once in a process however many there are. */
export function warnOnce(kind: keyof typeof warnings): void {
	if (given.has(kind)) {
		return;
	}

	given.add(kind);
	const {code, text} = warnings[kind];
	process.emitWarning(text, {code});
}

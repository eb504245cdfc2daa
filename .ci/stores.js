// Reads the TAP of the tests from the file that is named, and says of each store which server its tests met and what became of them. It fails where a store has no tests.
// A test's title begins with its store's name; `…: served by …` and `…: not tested, as …` are written by `test/helpers/servers.ts`.
import fs from 'node:fs';
import process from 'node:process';

const stores = ['memory', 'sqlite', 'filesystem', 'redis', 'mongodb', 'gridfs', 'dynamodb', 'keyv'];

// With several titles, the longest that fits is the adapter's.
const adapters = [
	'keyv-file, separatedFile', 'keyv-file', '@keyv/sqlite 4', '@keyv/sqlite 6', '@keyv/mongo, useGridFS', '@keyv/mongo', '@keyv/redis', '@keyv/valkey', '@keyv/postgres', '@keyv/memcache',
];

const log = fs.readFileSync(process.argv[2], 'utf8');
const results = Array.from(
	log.matchAll(/^(?<not>not )?ok \d+ - (?:.+ › )?(?<title>.+)$/gmv),
	({groups}) => ({isFailed: groups.not !== undefined, title: groups.title}),
);

const adapterOf = ({title}) => adapters.find(adapter => new RegExp(`^${RegExp.escape(adapter)}(?:, .*?)?: `, 'v').test(title));

console.log('Stores:');
for (const store of [...stores, ...adapters]) {
	const own = adapters.includes(store)
		? results.filter(result => adapterOf(result) === store)
		: results.filter(result => adapterOf(result) === undefined && new RegExp(String.raw`^${store}\b.*?: `, 'iv').test(result.title));
	const failed = own.filter(({isFailed}) => isFailed).length;
	const titles = own.map(({title}) => title).join('\n');
	const server = /: served by (?<server>.+)/v.exec(titles)?.groups.server ?? 'no server needed';
	const missing = /: (?<missing>not tested, as .+)/v.exec(titles)?.groups.missing;
	if (own.length === 0) {
		console.log(`- ${store}: NO TESTS`);
		process.exitCode = 1;
	} else if (missing === undefined) {
		console.log(`- ${store}: ${server}: ${own.length - failed} passed, ${failed === 0 ? '0 failed' : `${failed} FAILED`}`);
	} else {
		console.log(`- ${store}: ${missing}`);
	}
}

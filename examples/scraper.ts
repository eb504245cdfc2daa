/*
Fetches the pages of a site and shows how far it is. Ctrl-C stops it at any time; started again, it takes from `scraper.sqlite` what it had received, and asks the site for the rest.

	node scraper.ts https://example.com/pages/ 200

asks for `/pages/1` to `/pages/200`, eight at a time. What it does with a page is up to you: here it counts words.
*/
import process from 'node:process';
import {createCachedGot} from 'got-cache-hooks';

const [site = 'https://example.com/', count = '20'] = process.argv.slice(2);
const urls = Array.from({length: Number(count)}, (_, index) => new URL(String(index + 1), site).href);

const client = createCachedGot({cacheName: 'scraper', expireAfter: '7 days'});

// Requests that are under way end with the signal; what is received whole is stored.
const interruption = new AbortController();
process.once('SIGINT', () => {
	interruption.abort();
});

const progress = {
	pages: 0, fromCache: 0, failed: 0, words: 0,
};

function show(): void {
	const {pages, fromCache, failed} = progress;
	// A terminal shows one line that changes; a log gets a line for each tenth.
	if (process.stdout.isTTY) {
		process.stdout.write(`\r${pages}/${urls.length} pages, ${fromCache} from the cache, ${failed} failed `);
	} else if (pages % Math.ceil(urls.length / 10) === 0 || pages === urls.length) {
		console.log(`${pages}/${urls.length} pages, ${fromCache} from the cache, ${failed} failed`);
	}
}

async function fetchPage(url: string): Promise<void> {
	try {
		const {body, isFromCache} = await client(url, {signal: interruption.signal});
		progress.words += body.split(/\s+/v).length;
		progress.fromCache += isFromCache ? 1 : 0;
	} catch (error) {
		if (interruption.signal.aborted) {
			return;
		}

		progress.failed++;
		console.error(`${url}: ${(error as Error).message}`);
	}

	progress.pages++;
	show();
}

// The workers take their pages from one iterator, so that each page is fetched once.
const remaining = urls.values();
const workers = Array.from({length: 8}, async () => {
	for (const url of remaining) {
		if (interruption.signal.aborted) {
			return;
		}

		await fetchPage(url);
	}
});
await Promise.all(workers);

// Waits until everything is written.
await client.cache.close();

if (interruption.signal.aborted) {
	console.log(`\nStopped after ${progress.pages} of ${urls.length} pages. Start it again to go on.`);
	process.exitCode = 130;
} else {
	console.log(`\n${progress.words} words on ${progress.pages - progress.failed} pages`);
}

import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {createFolder} from '../examples/run-node.ts';
import {root} from '../examples/pages.ts';
import {Origin} from '../helpers/origin.ts';
import {execute} from '../runners/installation.ts';
import {findChromium, launch, type Page} from './browser.ts';
import {docs, docsProgram, hasDocsTools} from './docs-folder.ts';

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.woff2': 'font/woff2',
};

/** A server of the files in a folder, as a static host has it. */
async function serve(folder: string): Promise<Origin> {
	return Origin.start((request, response) => {
		void answer();

		async function answer(): Promise<void> {
			const {pathname} = new URL(request.url!, 'http://site');
			const file = path.join(folder, decodeURIComponent(pathname), pathname.endsWith('/') ? 'index.html' : '');
			try {
				const content = await fs.readFile(file);
				response.setHeader('content-type', types[path.extname(file)] ?? 'application/octet-stream');
				response.end(content);
			} catch {
				response.statusCode = 404;
				response.end('Not Found');
			}
		}
	});
}

type Visit = {readonly url: string; readonly links: readonly string[]; readonly ids: ReadonlySet<string>; readonly isWhole: boolean};

/** Opens a page, and reads its links and what can be linked to. */
async function visit(page: Page, url: string): Promise<Visit | undefined> {
	const response = await page.goto(url);
	if (response?.status() !== 200) {
		return undefined;
	}

	const links = await page.evaluate<string[]>('Array.from(document.querySelectorAll("a[href]"), element => element.href)');
	const ids = await page.evaluate<string[]>('Array.from(document.querySelectorAll("[id]"), element => element.id)');
	const hasHeading = await page.evaluate<boolean>('document.querySelector("main h1") !== null');
	const images = await page.evaluate<boolean[]>('Array.from(document.images, image => image.loading === "lazy" || (image.complete && image.naturalWidth > 0))');
	return {
		url, links, ids: new Set(ids), isWhole: hasHeading && images.every(Boolean),
	};
}

const chromium = await findChromium();
if (chromium === undefined) {
	test('the site is not tested, as there is no `chromium` on the PATH', t => {
		t.not(process.env.CI, 'true');
	});
} else if (hasDocsTools(test)) {
	test('each internal link of the site leads to a page and to a place in it, the search finds a setting, and the version is shown', async t => {
		t.timeout(600_000);
		const folder = await createFolder(t);
		await execute(process.execPath, [docsProgram('vitepress/bin/vitepress.js'), 'build', docs, '--outDir', folder], {cwd: docs, timeout: 300_000});
		await using site = await serve(folder);
		const browser = await launch(chromium);
		t.teardown(async () => browser.close());

		const faults: string[] = [];
		const isOurs = (url: string): boolean => url.startsWith(`${site.url}/`);
		const openPage = async (): Promise<Page> => {
			const page = await browser.newPage();
			page.on('pageerror', error => {
				faults.push(`${page.url()}: ${error.message}`);
			});
			page.on('console', message => {
				if (message.type() === 'error') {
					faults.push(`${page.url()}: ${message.text()}`);
				}
			});
			page.on('request', request => {
				if (/^https?:/v.test(request.url()) && !isOurs(request.url())) {
					faults.push(`${page.url()} asks ${request.url()}`);
				}
			});
			return page;
		};

		const start = `${site.url}/index.html`;
		const queue: string[] = [];
		const seen = new Set([start]);
		const visits = new Map<string, Visit>();
		const linked: Array<readonly [from: string, url: string, fragment: string]> = [];
		const follow = async (page: Page, url: string): Promise<void> => {
			const visited = await visit(page, url);
			if (visited === undefined) {
				return;
			}

			visits.set(url, visited);
			const links = visited.links.filter(target => isOurs(target));
			for (const link of links) {
				const [target = '', fragment = ''] = link.split('#', 2);
				const file = target.endsWith('/') ? `${target}index.html` : target;
				linked.push([url, file, decodeURIComponent(fragment)]);
				if (seen.has(file) || !file.endsWith('.html')) {
					continue;
				}

				seen.add(file);
				queue.push(file);
			}
		};

		// Several tabs take from one queue, to which each adds the links that it finds.
		const tabs = await Promise.all([openPage(), openPage(), openPage()]);
		const [first] = tabs;
		await follow(first, start);
		await Promise.all(tabs.map(async page => {
			for (let url = queue.shift(); url !== undefined; url = queue.shift()) {
				await follow(page, url);
			}
		}));

		const broken = linked.filter(([, url, fragment]) => url.endsWith('.html') && !(visits.has(url) && (fragment === '' || visits.get(url)!.ids.has(fragment))));
		t.deepEqual([...new Set(broken.map(([from, url, fragment]) => `${from}: ${url}#${fragment}`))], []);
		t.deepEqual(faults, []);
		t.deepEqual(visits.values().filter(({isWhole}) => !isWhole).map(({url}) => url).toArray(), []);

		// Every page of the folder is reached.
		const pages = (await fs.readdir(docs, {recursive: true})).filter(name => name.endsWith('.md') && !name.startsWith('node_modules') && !name.startsWith('.'));
		const reached = new Set(visits.keys().map(url => decodeURIComponent(url.slice(site.url.length + 1)).replace(/\.html$/v, '')));
		t.true(pages.length > 150);
		t.deepEqual(pages.map(name => name.replace(/\.md$/v, '').replace(/README$/v, 'index')).filter(name => !reached.has(name)), []);

		const {version} = JSON.parse(await fs.readFile(path.join(root, 'package.json'), 'utf8')) as {readonly version: string};
		await first.goto(start);
		t.true((await first.textContent('header'))!.includes(`v${version}`));

		await first.click('#local-search button');
		await first.fill('#localsearch-input', 'staleIfError');
		await first.waitForSelector('#localsearch-list .result');
		await first.click('#localsearch-list .result');
		await first.waitForURL(/\.html/v);
		t.true((await first.textContent('main'))!.toLowerCase().includes('stale'));
	});
}

import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {type CredentialRow, credentialTable, credentialResponseHeaders} from '../../source/identity/credential-table.ts';
import {examplesOfRows} from '../identity/row-names.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../../source/identity/credentials.ts';
import {
	codeSpans,
	headingsOf,
	linksOf,
	listPages,
	readPage,
	root,
	tableRows,
} from './pages.ts';
import {
	firstPages,
	isProgram,
	isRun,
	samplesOf,
	testSamples,
} from './samples.ts';

const docs = listPages();
const pages = [...docs, 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'changelog.md'];

// Each sample is a process, so that those of the other pages run in docs.long.test.ts.
for (const page of firstPages) {
	testSamples(test, page);
}

const pagesWithSamples = docs.filter(page => samplesOf(readPage(page)).length > 0);

for (const page of pagesWithSamples) {
	test(`each program of ${page} is run, or the page says why it is not`, t => {
		const samples = samplesOf(readPage(page));
		const files = new Set(samples.flatMap(({file, notRun}) => notRun === undefined ? file ?? [] : []));
		const lastCommand = samples.findLastIndex(sample => isRun(sample, files));
		for (const [index, {code, language, file, notRun}] of samples.entries()) {
			t.true(isProgram(language) || ['sh', 'console', 'text', 'json'].includes(language), `\`${language}\` is not a language of samples`);
			t.true(file === undefined || notRun !== undefined || index < lastCommand, `No command runs ${file}: ${code}`);
		}
	});
}

async function isThere(file: string): Promise<boolean> {
	try {
		await fs.access(path.join(root, file));
		return true;
	} catch {
		return false;
	}
}

for (const page of pages) {
	test(`each link of ${page} has an existing target`, async t => {
		const broken: string[] = [];
		for (const {target} of linksOf(readPage(page))) {
			if (/^https?:/v.test(target)) {
				continue;
			}

			const [file = '', fragment] = target.split('#', 2);
			const linked = file === '' ? page : path.join(path.dirname(page), file);
			if (!await isThere(linked) || (fragment !== undefined && !headingsOf(readPage(linked)).has(fragment))) {
				broken.push(target);
			}
		}

		t.deepEqual([...new Set(broken)], []);
	});
}

for (const page of pages) {
	test(`each file of source/ that ${page} names exists`, async t => {
		const entries = await fs.readdir(path.join(root, 'source'), {withFileTypes: true});
		const folders = new Set(entries.filter(entry => entry.isDirectory()).map(({name}) => name));
		const named = codeSpans(readPage(page).replaceAll(/^```.+?^```$/gmsv, '')).filter(name => /^[\w\-]+(?:\/[\w\-]+)+\.ts$/v.test(name) && folders.has(name.split('/', 1)[0]!));
		const missing: string[] = [];
		for (const name of new Set(named)) {
			if (!await isThere(`source/${name}`)) {
				missing.push(name);
			}
		}

		t.deepEqual(missing, []);
	});
}

/** The tests that a page names: `[file › title](…)`, with `…` for what a title has in between. */
function namedTests(page: string): ReadonlyArray<readonly [file: string, title: string, target: string]> {
	return linksOf(page).filter(({text}) => text.includes(' › ')).map(({text, target}) => [...text.split(' › ') as [string, string], target]);
}

for (const page of docs) {
	if (namedTests(readPage(page)).length === 0) {
		continue;
	}

	test(`each test that ${page} names exists`, async t => {
		const missing: string[] = [];
		for (const [name, title, target] of namedTests(readPage(page))) {
			t.regex(path.basename(target), new RegExp(String.raw`^${name}(?:\.long)?\.test\.ts$`, 'v'));
			const file = path.join(path.dirname(page), target);
			const source = await isThere(file) ? readPage(file).replaceAll('\\', '') : '';
			if (title.split('…').some(part => !source.includes(part.trim()))) {
				missing.push(`${file} › ${title}`);
			}
		}

		t.deepEqual(missing, []);
	});
}

for (const page of docs) {
	if (!page.startsWith('docs/rfc9111')) {
		continue;
	}

	test(`${page} cites test files that exist`, async t => {
		const cited = readPage(page).matchAll(/\b(?<folder>[CP])\/(?<name>[\w\-]+) "/gv);
		const files = new Set(cited.map(({groups}) => `test/${groups!.folder === 'P' ? 'policy' : 'got'}/${groups!.name!}.test.ts`));
		t.true(files.size > 5);
		for (const file of files) {
			t.true(await isThere(file), file);
		}
	});
}

const tables: ReadonlyArray<readonly [page: string, header: string]> = [
	['docs/cache-keys.md', '| of the request | how it counts | test |'],
	['docs/security.md', '| class | in the key | in what is stored and shown | test |'],
	['docs/data-at-rest.md', '| where | what | who can read it | test |'],
	['docs/limits.md', '| what | bound | what happens beyond it | test |'],
];

for (const [page, header] of tables) {
	test(`each row of the table \`${header}\` names a test`, t => {
		const rows = tableRows(readPage(page), header);
		t.true(rows.length > 2);
		for (const row of rows) {
			t.true(namedTests(row.at(-1)!).length > 0, row[0]);
		}
	});
}

/** Words, and phrases of several. */
function words(list: readonly string[]): string {
	return list.join(list.some(item => item.includes(' ')) ? ', ' : ' ');
}

function cells({class: kind, ends, directlyAfter, after}: CredentialRow, index: number): string[] {
	const anywhere = after === undefined ? '' : `anywhere: ${words(after)}`;
	return [kind, words(ends), directlyAfter === undefined ? anywhere : `directly: ${words(directlyAfter)}`, examplesOfRows[index]!.split(' ', 3).map(name => `\`${name}\``).join(', ')];
}

test('the table of credential names equals that of the source', t => {
	const header = '| class | last word or words | with before it | for example | why |';
	const rows = tableRows(readPage('docs/credential-names.md'), header);
	t.deepEqual(rows.map(row => row.slice(0, -1)), credentialTable.map((row, index) => cells(row, index)));
	t.true(rows.every(row => row.at(-1)!.length > 10));
});

test('the table of response headers with credentials is complete', t => {
	const rows = tableRows(readPage('docs/credentials.md'), '| response headers | why |');
	t.deepEqual(rows.flatMap(([names]) => codeSpans(names!)).toSorted(), [...credentialResponseHeaders].toSorted());
});

test('the default of ignoredParameters is complete', t => {
	const [list] = /`DEFAULT_IGNORED_PARAMETERS`: [^.]+/v.exec(readPage('docs/credentials.md'))!;
	t.deepEqual(codeSpans(list).slice(1), [...DEFAULT_IGNORED_PARAMETERS]);
});

test('the table of warnings is complete', t => {
	const rows = tableRows(readPage('docs/events.md'), '| code | what it says | what to do |');
	const codes = readPage('source/warnings.ts').matchAll(/^\t(?<code>GOT_CACHE_[A-Z_]+): /gmv).map(({groups}) => groups!.code!).toArray();
	t.true(codes.length > 10);
	t.deepEqual(rows.flatMap(([named]) => codeSpans(named!)).toSorted(), codes.toSorted());
});

test('the table of events is complete', t => {
	const rows = tableRows(readPage('docs/events.md'), '| event | when it is emitted | payload |');
	const [type = ''] = /^export type CacheEvents = \{.+?^\};/msv.exec(readPage('source/cache/types.ts')) ?? [];
	const events = type.matchAll(/^\t(?<event>\w+): \[/gmv).map(({groups}) => groups!.event!).toArray();
	t.true(events.length > 10);
	t.deepEqual(rows.flatMap(([named]) => codeSpans(named!)).toSorted(), events.toSorted());
});

import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {requestSettingNames} from '../../source/settings/settings.ts';
import {
	codeSpans,
	readPage,
	root,
	tableRows,
} from './pages.ts';

const settingsPage = readPage('docs/settings.md');
const reasonsPage = readPage('docs/reasons.md');
const settingsTypes = readPage('source/settings/types.ts');
const reasonTypes = readPage('source/policy/types.ts');

/** The names in the first column. */
function names(page: string, header: string): string[] {
	return tableRows(page, header).flatMap(([name]) => codeSpans(name!));
}

test('the readme has at most 250 lines', t => {
	t.true(readPage('readme.md').split('\n').length <= 250);
});

test('the table of settings has every setting of a client, with its default', t => {
	const stated = settingsTypes
		.matchAll(/@default (?<stated>.+)\n(?:(?!\*\/)[\s\S])*\*\/\n\treadonly (?<key>\w+)\?:/gv)
		.map(({groups}) => [groups!.key!, groups!.stated!] as const)
		.toArray();
	// The request's own come last.
	const ofClient = stated.slice(0, stated.findIndex(([key]) => key === 'refresh'));
	const listed = tableRows(settingsPage, '| setting | default | what it does |')
		.map(([name, value]) => [codeSpans(name!)[0]!, value === 'none' ? 'undefined' : codeSpans(value!)[0]!] as const);

	// Those that the doc comments state are compared with the real ones in `test/settings/settings.test.ts`.
	t.true(ofClient.length > 20);
	t.deepEqual(Object.fromEntries(listed), Object.fromEntries(ofClient));
	t.is(listed.length, ofClient.length);
});

test('every setting of a request is named', t => {
	const chapter = settingsPage.slice(settingsPage.indexOf('\n## Settings of a request\n'));
	const [shared] = /There are .*and three that only a request has/v.exec(chapter)!;
	t.deepEqual([...codeSpans(shared), ...names(chapter, '| setting | what it does |')].toSorted(), [...requestSettingNames].toSorted());
});

test('the tables of reasons have every reason', t => {
	const types = reasonTypes.matchAll(/export type (?<name>\w+Reason) =\n(?<lines>(?:\t\|.+\n)+)/gv);
	const reasons = new Map(types.map(({groups}) => [groups!.name!, groups!.lines!.split(/[^\w\-]+/v).filter(Boolean)]));
	t.deepEqual(names(reasonsPage, '| where the answer comes from | |').toSorted(), reasons.get('ReadReason')!.toSorted());
	t.deepEqual(names(reasonsPage, '| the cache was not used | |').toSorted(), reasons.get('PassReason')!.toSorted());

	// Some have a meaning of their own there.
	const written = [...reasons.get('WriteReason')!.filter(reason => reason !== 'RefusalReason'), ...reasons.get('RefusalReason')!, 'filtered'];
	t.deepEqual(names(reasonsPage, '| what became of the origin\'s response (`stored`) | |').toSorted(), written.toSorted());
});

test('ARCHITECTURE.md has a row for each folder and each top-level file of source/', async t => {
	const entries = await fs.readdir(path.join(root, 'source'), {withFileTypes: true});
	const named = names(readPage('ARCHITECTURE.md'), '| folder (`source/…`) | what lives there |');
	t.deepEqual(named.toSorted(), entries.map(entry => entry.isDirectory() ? `${entry.name}/` : entry.name).toSorted());
});

import {Buffer} from 'node:buffer';
import {execFile, execFileSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	readdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {createStore} from '../../../source/index.ts';
import {SqliteConnection} from '../../../source/stores/sqlite/connection.ts';
import {fileIdentity} from '../../../source/stores/sqlite/damage.ts';
import {removeUnlessOpen} from '../../../source/stores/sqlite/file.ts';
import {sqliteSettings} from '../../../source/stores/sqlite/options.ts';
import {SqliteStore} from '../../../source/stores/sqlite/store.ts';
import type {SetResult, Store} from '../../../source/stores/types.ts';
import {listed, textOf} from '../contract.ts';
import {bytes, noExpiry, temporaryFile} from './files.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return
const posix = process.platform === 'win32' ? test.skip : test;

/** Returns the content and the modification time of each file in the folder. */
function state(path: string): Record<string, unknown> {
	const folder = dirname(path);
	return Object.fromEntries(readdirSync(folder).map(name => {
		const {mtimeMs, size} = statSync(join(folder, name));
		return [name, [size, mtimeMs, readFileSync(join(folder, name)).toString('base64')]];
	}));
}

async function fillFile(path: string, {wal = true} = {}): Promise<void> {
	const store = new SqliteStore({path, wal, now: () => 1000});
	await store.set('key', bytes('one'), {expires: undefined, indexed: {createdAt: 1, freshUntil: 2}});
	await store.set('brief', bytes('one'), {expires: 2000});
	await store.close();
}

const writings: ReadonlyArray<(store: SqliteStore) => unknown> = [
	store => store.set('key', bytes('two'), noExpiry),
	store => store.add('other', bytes('two'), noExpiry),
	store => store.delete('key'),
	store => store.deleteMany(['key']),
	store => store.clear(),
	async store => store.deleteFound({}),
	async store => store.purgeExpired(),
	async store => store.vacuum(),
];

for (const wal of [true, false]) {
	test(`with readOnly, nothing on the disk is created or changed, and expired rows stay${wal ? '' : ', without WAL'}`, async t => {
		const path = temporaryFile(t);
		await fillFile(path, {wal});
		const before = state(path);
		const store = createStore('sqlite', {path, readOnly: true, now: () => 5000});
		t.is(textOf(await store.get('key')), 'one');
		t.is(await store.get('brief'), undefined);
		t.deepEqual(await listed(store), ['key']);
		t.deepEqual(await Array.fromAsync(store.find({staleAt: 5})), ['key']);
		t.is(await store.count(), 1);
		t.true(await store.size() > 0);
		for (const write of writings) {
			await t.throwsAsync(async () => write(store), {code: 'ERR_STORE_READ_ONLY', message: /cache\.sqlite/v});
		}

		await store.close();
		t.deepEqual(state(path), before);
	});

	test(`with readOnly, writes of other connections are visible${wal ? '' : ', without WAL'}`, async t => {
		const path = temporaryFile(t);
		await fillFile(path, {wal});
		const reader = new SqliteStore({path, readOnly: true});
		t.is(textOf(await reader.get('key')), 'one');
		for (const text of ['two', 'three']) {
			const writer = new SqliteStore({path, wal});
			await writer.set('key', bytes(text), noExpiry);
			t.is(textOf(await reader.get('key')), text);
			await writer.close();
			t.is(textOf(await reader.get('key')), text);
		}

		await reader.close();
	});
}

test('with readOnly, a missing file or folder is not created', async t => {
	const path = temporaryFile(t);
	for (const missing of [path, join(dirname(path), 'folder', 'cache.sqlite')]) {
		const store = new SqliteStore({path: missing, readOnly: true});
		await t.throwsAsync(async () => store.get('key'), {code: 'ERR_STORE_OPEN', message: `Cannot open the SQLite store \`${missing}\`: unable to open database file. There is no such file: create it with a store that may write, or correct \`path\`.`});
		await t.throwsAsync(async () => store.count(), {code: 'ERR_STORE_OPEN'});
		await store.close();
	}

	t.deepEqual(readdirSync(dirname(path)), []);
	writeFileSync(path, '');
	await t.throwsAsync(async () => new SqliteStore({path, readOnly: true}).get('key'), {code: 'ERR_STORE_OPEN', message: /empty/v});
	t.is(statSync(path).size, 0);
	t.throws(() => new SqliteStore({useMemory: true, readOnly: true}), {instanceOf: TypeError, message: /\.readOnly`/v});
});

test('with readOnly, a damaged file is not changed', async t => {
	const path = temporaryFile(t);
	await fillFile(path);
	const content = readFileSync(path);
	content.fill(0xAA, 4096);
	writeFileSync(path, content);
	const before = state(path);
	const store = new SqliteStore({path, readOnly: true});
	await t.throwsAsync(async () => {
		await store.get('key');
		await listed(store);
	}, {code: 'ERR_STORE_CORRUPT', message: /may only be read/v});
	await store.close();
	t.deepEqual(state(path), before);
});

/** The superuser creates the file, and another user reads it: the superuser itself has all permissions. */
const asRoot = process.geteuid?.() === 0 ? test : test.skip;

for (const [name, modes, wal] of [
	['a file', {file: 0o644, folder: 0o777}, true],
	['a file and its folder', {file: 0o644, folder: 0o755}, true],
	['a folder', {file: 0o666, folder: 0o755}, true],
	['a file', {file: 0o644, folder: 0o777}, false],
	['a file and its folder', {file: 0o644, folder: 0o755}, false],
	['a folder', {file: 0o666, folder: 0o755}, false],
] as const) {
	asRoot(`${name} without write permission can be read, with \`readOnly\` and without${wal ? '' : ', without WAL'}`, async t => {
		const path = temporaryFile(t);
		await fillFile(path, {wal});
		chmodSync(path, modes.file);
		chmodSync(dirname(path), modes.folder);
		const before = state(path);
		const {stdout} = await run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', `
			import {SqliteStore} from ${JSON.stringify(new URL('../../../source/stores/sqlite/store.ts', import.meta.url).href)};
			process.setgid(12_345);
			process.setuid(12_345);
			for (const readOnly of [true, false]) {
				const store = new SqliteStore({path: ${JSON.stringify(path)}, wal: ${wal}, readOnly, maxBytes: 2e6});
				const writes = [() => store.set('key', new Uint8Array(1), {expires: undefined}), () => store.delete('key'), () => store.deleteFound({createdBefore: Infinity}), () => store.purgeExpired(), () => store.vacuum(), () => store.clear()];
				const codes = await Promise.all(writes.map(async write => write()).map(async written => written.catch(error => error.code)));
				console.log(String(Buffer.from(await store.get('key'))), await store.count(), ...new Set(codes));
				await store.close();
			}
		`]);
		t.is(stdout, 'one 1 ERR_STORE_READ_ONLY\none 1 ERR_STORE_READ_ONLY\n');
		t.deepEqual(state(path), before);
	});
}

posix('a pipe, a device or a folder in place of the file or one of its logs is an error at once', async t => {
	const path = temporaryFile(t);
	for (const suffix of ['', '-wal', '-shm', '-journal']) {
		for (const make of [
			(file: string) => execFileSync('mkfifo', [file]),
			(file: string) => {
				mkdirSync(file);
			},
		]) {
			await fillFile(path);
			rmSync(path + suffix, {force: true});
			make(path + suffix);
			for (const readOnly of [true, false]) {
				const store = new SqliteStore({path, readOnly});
				t.throws(() => store.get('key'), {code: 'ERR_STORE_OPEN', message: /is a (?:folder|pipe)/v});
				await store.close();
			}

			rmSync(path + suffix, {recursive: true});
		}
	}

	t.throws(() => new SqliteStore({path: '/dev/null'}).get('key'), {code: 'ERR_STORE_OPEN', message: /device/v});
});

for (const damaged of [100, 512, 1024]) {
	test(`a file whose first ${damaged} bytes are damaged is set aside when it is opened, and a new one is created`, async t => {
		const path = temporaryFile(t);
		const damage = (): void => {
			const content = readFileSync(path);
			content.fill(0xAA, 0, damaged);
			writeFileSync(path, content);
		};

		await fillFile(path);
		damage();
		const store = new SqliteStore({path, now: () => 1000});
		t.throws(() => store.get('key'), {code: 'ERR_STORE_CORRUPT', message: /set aside as .*\.corrupt-1000/v});
		await store.set('key', bytes('two'), noExpiry);
		t.is(textOf(await store.get('key')), 'two');
		await store.close();
		t.true(existsSync(`${path}.corrupt-1000`));
	});
}

test('a file whose header is damaged while it is open is set aside by the next call', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path, wal: false, now: () => 1000});
	await store.set('key', bytes('one'), noExpiry);
	const other = new DatabaseSync(path);
	other.exec('UPDATE entries SET used = used');
	other.close();
	const content = readFileSync(path);
	content.fill(0xAA, 0, 100);
	writeFileSync(path, content);
	const outcomes = await Promise.allSettled([(async () => store.get('key'))(), (async () => store.set('a', bytes('a'), noExpiry))()]);
	t.like(outcomes.find(({status}) => status === 'rejected'), {reason: {code: 'ERR_STORE_CORRUPT'}});
	await store.set('b', bytes('b'), noExpiry);
	t.is(textOf(await store.get('b')), 'b');
	await store.close();
	t.true(existsSync(`${path}.corrupt-1000`));
});

test('a file of another program with a damaged header is not changed', t => {
	const path = temporaryFile(t);
	const other = new DatabaseSync(path);
	other.exec('CREATE TABLE entries (key TEXT); INSERT INTO entries VALUES (\'theirs\')');
	other.close();
	const content = readFileSync(path);
	content.fill(0xAA, 0, 100);
	writeFileSync(path, content);
	const before = state(path);
	t.throws(() => new SqliteStore({path}).get('key'), {code: 'ERR_STORE_OPEN'});
	t.deepEqual(state(path), before);
});

test('a write to a full disk throws ERR_STORE_FULL, and clear and deletions make room', async t => {
	for (const empty of [
		(store: SqliteStore) => store.clear(),
		async (store: SqliteStore) => store.deleteFound({}),
		async (store: SqliteStore) => store.deleteMany(Array.from({length: 40}, (_, index) => `key ${index}`)),
	]) {
		const path = temporaryFile(t);
		const store = new SqliteStore({path});
		await store.set('first', bytes('one'), noExpiry);
		const connection = SqliteConnection.of(sqliteSettings({path}));
		connection.run((_, database) => {
			database.exec('PRAGMA max_page_count = 100');
		});
		const write = async (index: number): Promise<SetResult> => store.set(`key ${index}`, Buffer.alloc(20_000), {expires: undefined, indexed: {createdAt: 1, freshUntil: 2}});
		const outcomes = await Promise.allSettled(Array.from({length: 40}, async (_, index) => write(index)));
		const refused = outcomes.filter(({status}) => status === 'rejected');
		t.true(refused.length > 10 && refused.length < 40, `${refused.length}`);
		t.like(refused[0], {reason: {code: 'ERR_STORE_FULL'}});
		await empty(store);
		t.is(await store.count(), 0);
		await write(1);
		connection.leave();
		await store.close();
	}
});

test('a file is removed to make room only if nobody else has it open and it is still the same', async t => {
	const path = temporaryFile(t);
	await fillFile(path);
	const settings = sqliteSettings({path});
	const identity = fileIdentity(path)!;
	const other = new DatabaseSync(path);
	other.prepare('SELECT count(*) FROM entries').get();
	t.false(removeUnlessOpen(settings, identity));
	t.truthy(other.prepare('SELECT key FROM entries').get());
	other.close();
	t.false(removeUnlessOpen(settings, 'another'));
	t.true(removeUnlessOpen(settings, identity));
	t.deepEqual(readdirSync(dirname(path)), []);
	await fillFile(path, {wal: false});
	t.false(removeUnlessOpen(settings, fileIdentity(path)!));
	t.deepEqual(readdirSync(dirname(path)), ['cache.sqlite']);
});

test('`~/` is the home folder, path is absolute, and a store in memory has no path', t => {
	t.is(new SqliteStore({path: '~/cache.sqlite'}).path, join(homedir(), 'cache.sqlite'));
	t.is(createStore('sqlite', {cacheName: '~/a/cache'}).path, join(homedir(), 'a', 'cache.sqlite'));
	const byUrl: Store = createStore('sqlite://~/cache.sqlite');
	t.is(byUrl.path, join(homedir(), 'cache.sqlite'));
	t.is(new SqliteStore({path: '~user/cache.sqlite'}).path, join(process.cwd(), '~user', 'cache.sqlite'));
	for (const path of [':memory:', 'file::memory:', 'file::memory:?cache=shared', 'file:name?mode=memory', 'file:/a/b?mode=memory&cache=shared']) {
		t.is(new SqliteStore({path}).path, undefined);
	}

	t.is(createStore('sqlite::memory:').path, undefined);
	t.is(createStore('sqlite:name?mode=memory').path, undefined);
});

test('a file: URI means what it means to SQLite', async t => {
	const path = temporaryFile(t);
	const url = pathToFileURL(path).href;
	for (const [given, text] of [[url, 'one'], [url.replace('file://', 'file://localhost'), 'two'], [url.replace('file://', 'file:'), 'three'], [`${url}?mode=rw`, 'four'], [url.replace('cache', 'c%61che'), 'five']] as const) {
		const store = new SqliteStore({path: given});
		t.is(store.path, path);
		await store.set('key', bytes(text), noExpiry);
		await store.close();
	}

	for (const parameters of ['mode=ro', 'immutable=1', 'mode=ro&immutable=1']) {
		const reader = createStore(`sqlite:${url}?${parameters}`) as SqliteStore;
		t.is(textOf(await reader.get('key')), 'five');
		await t.throwsAsync(async () => reader.set('key', bytes('six'), noExpiry), {code: 'ERR_STORE_READ_ONLY'});
		await reader.close();
	}

	const missing = new SqliteStore({path: `${url}.missing?mode=rw`});
	await t.throwsAsync(async () => missing.get('key'), {code: 'ERR_STORE_OPEN'});
	t.false(existsSync(`${path}.missing`));
	for (const wrong of ['file://elsewhere/a', 'file:a?mode=rx', 'file:a%', 'file:']) {
		t.throws(() => new SqliteStore({path: wrong}), {instanceOf: TypeError, message: /\.path`/v});
	}
});

test('a database in memory is shared only by stores with the same name and `cache=shared`', async t => {
	const shared = [new SqliteStore({path: 'file:of-this-test?mode=memory&cache=shared'}), createStore('sqlite:of-this-test?mode=memory&cache=shared') as SqliteStore] as const;
	await shared[0].set('key', bytes('one'), noExpiry);
	t.is(textOf(await shared[1].get('key')), 'one');
	const own = [new SqliteStore({path: 'file:of-this-test?mode=memory'}), new SqliteStore({useMemory: true}), new SqliteStore({path: 'file::memory:'})];
	for (const store of own) {
		t.is(await store.get('key'), undefined);
		await store.set('key', bytes('two'), noExpiry);
	}

	t.is(textOf(await shared[1].get('key')), 'one');
	t.false(existsSync('of-this-test'));
	for (const store of [...shared, ...own]) {
		await store.close();
	}
});

test('a copy of a file and its log can be read completely', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	await store.set('key', bytes('one'), noExpiry);
	const copy = `${path}.copy`;
	for (const suffix of ['', '-wal']) {
		copyFileSync(path + suffix, copy + suffix);
	}

	const reader = new SqliteStore({path: copy, readOnly: true});
	t.is(textOf(await reader.get('key')), 'one');
	await reader.close();
	await store.close();
});

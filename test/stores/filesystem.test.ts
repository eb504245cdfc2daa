import {Buffer} from 'node:buffer';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fastCheck from 'fast-check';
import {parse} from 'yaml';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {listed} from './contract.ts';

const kept = {expires: undefined} as const;
const ourKey = `got-cache:1:${'0123456789abcdef'.repeat(4)}`;
const bytes = (text: string): Uint8Array => Buffer.from(text);

function temporaryFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'got-cache-hooks-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	return join(folder, 'cache');
}

const filesIn = async (store: FilesystemStore): Promise<string[]> => Array.fromAsync(store.paths());

test('nothing is made on disk before the first write', async t => {
	const path = temporaryFolder(t);
	const store = new FilesystemStore({path});
	t.is(await store.get('key'), undefined);
	t.false(store.delete('key'));
	t.deepEqual(await listed(store), []);
	t.is(await store.size(), 0);
	await store.clear();
	t.false(existsSync(path));
	await store.set('key', bytes('one'), kept);
	t.true(existsSync(path));
	await store.close();
});

test('a JSON object is a JSON file with the key and the time in it, and comes back byte by byte', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	const text = JSON.stringify({url: 'https://example.com/', body: {name: 'Ada'}}, undefined, '\t');
	await store.set(ourKey, bytes(text), {expires: 2e12});
	const [file] = await filesIn(store);
	t.is(basename(file!), `${ourKey.replaceAll(':', '+')}.json`);
	const content = readFileSync(file!, 'utf8');
	t.deepEqual(JSON.parse(content), {
		key: ourKey, storedUntil: 2e12, isEntry: false, size: text.length, ...JSON.parse(text) as object,
	});
	t.true(content.startsWith(`{\n\t"key": "${ourKey}",\n\t"storedUntil": 2000000000000,`));
	t.true(content.endsWith('\n\t}\n}'));
	t.is(Buffer.from((await store.get(ourKey))!).toString(), text);
	await store.close();
});

test('YAML is a YAML file with a comment, other bytes follow one', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	await store.set('yaml', bytes('name: Ada\n'), kept);
	await store.set('binary', Buffer.of(0, 255, 10), kept);
	const files = await filesIn(store);
	const yaml = files.find(file => file.endsWith('yaml.yaml'))!;
	t.is(readFileSync(yaml, 'utf8'), '# got-cache-hooks {"key":"yaml","storedUntil":null,"isEntry":false,"size":10}\nname: Ada\n');
	t.deepEqual(parse(readFileSync(yaml, 'utf8')), {name: 'Ada'});
	t.true(files.some(file => file.endsWith('binary.bin')));
	t.deepEqual(Buffer.from((await store.get('binary'))!), Buffer.of(0, 255, 10));
	await store.close();
});

test('whatever the value and the key are, the value comes back, and is JSON where it was', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	const seed = Date.now();
	t.log(`seed ${seed}`);
	const beginning = fastCheck.constantFrom('', '{', '{}', '{ \n}', '{,', '{}}', '{"a":1', '# got-cache-hooks {', '\0', '\u{FFFD}');
	const value = fastCheck.oneof(
		fastCheck.dictionary(fastCheck.string(), fastCheck.jsonValue()).map(object => bytes(JSON.stringify(object, undefined, '\t'))),
		fastCheck.tuple(beginning, fastCheck.uint8Array()).map(([text, rest]) => Buffer.concat([Buffer.from(text), rest])),
	);
	await fastCheck.assert(fastCheck.asyncProperty(fastCheck.string({unit: 'binary', minLength: 1, maxLength: 1000}), value, async (key, content) => {
		await store.set(key, content, kept);
		t.deepEqual(Buffer.from((await store.get(key))!), Buffer.from(content));
		const [file] = await filesIn(store);
		t.true(!isObject(Buffer.from(content).toString()) || isObject(readFileSync(file!, 'utf8')));

		t.true(store.delete(key));
		t.deepEqual(await filesIn(store), []);
	}), {numRuns: 60, seed});
	await store.close();
});

function isObject(text: string): boolean {
	try {
		return typeof JSON.parse(text) === 'object' && text.startsWith('{');
	} catch {
		return false;
	}
}

test('keys that differ in case, in their composition or by what a path means have files that differ in any file system', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t), extension: '.txt'});
	const keys = ['key', 'Key', 'KEY', 'é', 'e\u{301}', 'con', 'nul', '../key', '..', '.', 'a/b', 'a+b', 'a:b', 'a%3Ab', 'key.txt', '~', ' '];
	for (const key of keys) {
		await store.set(key, bytes(key), kept);
	}

	const names = (await filesIn(store)).map(file => basename(file).normalize('NFC').toLowerCase());
	t.is(new Set(names).size, keys.length);
	t.true(names.every(name => /^[\d+a-z~]+\.txt$/v.test(name) && !/^(?:con|nul)\./v.test(name)));
	t.deepEqual(await listed(store), keys.toSorted());
	await store.close();
});

test('a value of another kind leaves one file', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	for (const value of [bytes('{"a":1}'), bytes('a: 1'), Buffer.of(0), bytes('{}')]) {
		await store.set('key', value, kept);
		t.is((await filesIn(store)).length, 1);
		t.deepEqual(Buffer.from((await store.get('key'))!), Buffer.from(value));
	}

	await store.close();
});

test('a file that is cut short, longer or in the wrong place is a miss, and removed', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	const cases: Array<(file: string) => void> = [
		file => {
			truncateSync(file, statSync(file).size - 1);
		},
		file => {
			truncateSync(file, 0);
		},
		file => {
			writeFileSync(file, ' ', {flag: 'a'});
		},
		file => {
			writeFileSync(file, readFileSync(file, 'utf8').replace('"key"', '"kex"'));
		},
		file => {
			writeFileSync(file, readFileSync(file, 'utf8').replace(': "key"', ': "kez"'));
		},
	];
	for (const harm of cases) {
		await store.set('key', bytes('{"a":1}'), kept);
		const [file] = await filesIn(store);
		harm(file!);
		t.is(await store.get('key'), undefined);
		t.false(existsSync(file!));
		await store.set('key', bytes('{"a":1}'), kept);
		harm(file!);
		t.deepEqual(await listed(store), []);
		t.false(existsSync(file!));
	}

	await store.close();
});

test('clearing leaves the files of others, and those that are being written', async t => {
	const path = temporaryFolder(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), kept);
	const [file] = await filesIn(store);
	const others = [join(path, 'notes.txt'), join(path, 'notes.json'), join(dirname(file!), 'Notes.md'), join(dirname(file!), '.5b0a33f0-0000-4000-8000-000000000000.tmp')];
	for (const other of others) {
		writeFileSync(other, 'mine');
	}

	mkdirSync(join(path, 'zz'));
	await store.clear();
	t.false(existsSync(file!));
	t.true(others.every(other => existsSync(other)));
	await store.close();
});

test('what expired and what killed writers have left is removed in passing', async t => {
	const path = temporaryFolder(t);
	let time = 1000;
	const store = new FilesystemStore({path, now: () => time});
	for (let index = 0; index < 20; index++) {
		await store.set(`old ${index}`, bytes('one'), {expires: 2000});
	}

	const [file] = await filesIn(store);
	const left = join(dirname(file!), '.5b0a33f0-0000-4000-8000-000000000000.tmp');
	writeFileSync(left, 'half');
	utimesSync(left, 1, 1);
	time = 2000;
	// Each sweep looks at one of at most 21 folders.
	for (let index = 0; index < 64 * 25; index++) {
		await store.set('new', bytes('{}'), kept);
	}

	t.deepEqual((await filesIn(store)).map(name => basename(name)), ['new.json']);
	t.false(existsSync(left));
	await store.close();
});

test('the bound in bytes is kept by what was not used for longest, also against another process', async t => {
	const path = temporaryFolder(t);
	let time = 1e12;
	const maxCacheBytes = 100_000;
	const open = () => new FilesystemStore({path, maxCacheBytes, now: () => time});
	const [store, other] = [open(), open()];
	await store.set('hot', Buffer.alloc(900), kept);
	for (let index = 0; index < 400; index++) {
		time += 61_000;
		t.truthy(await store.get('hot'), `${index}`);
		await (index % 2 === 0 ? store : other).set(`key-${index}`, Buffer.alloc(900), kept);
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}

	await store.close();
	await other.close();
	const last = open();
	t.true(await last.size() <= maxCacheBytes * 1.3, `${await last.size()}`);
	const left = await listed(last);
	t.true(left.includes('hot') && left.includes('key-399') && !left.includes('key-0'));
	t.true(left.length > 60);
	await last.set('hot', Buffer.alloc(maxCacheBytes), kept);
	t.is(await last.get('hot'), undefined);
	await last.close();
});

test('what is no entry leaves last, so that entries are not lost for want of it', async t => {
	const path = temporaryFolder(t);
	let time = 1e12;
	const store = new FilesystemStore({path, now: () => time});
	await store.set('record', Buffer.alloc(10), kept);
	for (let index = 0; index < 50; index++) {
		time += 1000;
		await store.set(`key-${index}`, Buffer.alloc(900), {...kept, indexed: {createdAt: time, freshUntil: undefined}});
	}

	// The first write measures what is there.
	const bounded = new FilesystemStore({path, maxCacheBytes: 10_000, now: () => time});
	const evicted: string[] = [];
	bounded.watchEvictions(key => {
		evicted.push(key);
	});
	await bounded.set('last', Buffer.alloc(900), kept);
	await bounded.close();
	const left = await listed(store);
	t.true(left.includes('record') && !left.includes('key-0'), left.join(' '));
	t.is(evicted[0], 'key-0');
	t.deepEqual([...left, ...evicted].toSorted(), ['record', 'last', ...Array.from({length: 50}, (_, index) => `key-${index}`)].toSorted());
});

test('who adds a key that a dead process has claimed waits for it no longer than ten seconds', async t => {
	const path = temporaryFolder(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), kept);
	const [file] = await filesIn(store);
	store.delete('key');
	const claim = file!.replace('.yaml', '.claim~');
	writeFileSync(claim, '');
	utimesSync(claim, 1, 1);
	t.true(await store.add('key', bytes('two'), kept));
	t.deepEqual(readdirSync(dirname(file!)), [basename(file!)]);
	await store.close();
});

test('after closing, every call says that the store is closed', async t => {
	const store = new FilesystemStore({path: temporaryFolder(t)});
	await store.close();
	await store.close();
	const closed = {code: 'ERR_STORE_CLOSED'};
	t.throws(() => store.get('key'), closed);
	t.throws(() => store.set('key', bytes('one'), kept), closed);
	await t.throwsAsync(async () => listed(store), closed);
});

test('wrong options and values are refused at once', t => {
	t.throws(() => new FilesystemStore({path: ''}), {instanceOf: TypeError, message: /`path`/v});
	t.throws(() => new FilesystemStore({extension: 'json'}), {instanceOf: TypeError, message: /`extension`/v});
	t.throws(() => new FilesystemStore({maxCacheBytes: 0}), {instanceOf: TypeError, message: /`maxCacheBytes`/v});
	t.throws(() => new FilesystemStore({useTemp: true, useCacheDir: true}), {instanceOf: TypeError, message: /`useTemp`/v});
	t.throws(() => new FilesystemStore({path: temporaryFolder(t)}).set('key', 'text', kept), {code: 'ERR_STORE_VALUE'});
});

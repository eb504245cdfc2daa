import {Buffer} from 'node:buffer';
import {execFileSync, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {createServer} from 'node:net';
import {homedir, tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {fc as fastCheck} from '../../helpers/fast-check.ts';
import {seed} from '../../helpers/seed.ts';
import {CacheHooksError, createStore} from '../../../source/index.ts';
import {FilesystemStore} from '../../../source/stores/filesystem/store.ts';
import {processIdentity} from '../../../source/stores/process-identity.ts';
import {listed} from '../contract.ts';
import {testFolder} from '../../helpers/temporary-folder.ts';

const noExpiry = {expires: undefined} as const;
const ourKey = `got-cache:1:${'0123456789abcdef'.repeat(4)}`;
const bytes = (text: string): Uint8Array => Buffer.from(text);

const temporaryPath = (t: ExecutionContext): string => join(testFolder(t), 'cache');

const filesIn = async (store: FilesystemStore): Promise<string[]> => Array.fromAsync(store.paths());

test('nothing is created on disk before the first write', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	t.is(await store.get('key'), undefined);
	t.false(store.delete('key'));
	t.deepEqual(await listed(store), []);
	t.is(await store.size(), 0);
	await store.clear();
	t.false(existsSync(path));
	await store.set('key', bytes('one'), noExpiry);
	t.true(existsSync(path));
	await store.close();
});

test('a JSON object is stored as a JSON file with its key and expiry time, and comes back unchanged', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
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

test('YAML is stored as a YAML file after a comment, and so are other bytes', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
	await store.set('yaml', bytes('name: Ada\n'), noExpiry);
	await store.set('binary', Buffer.of(0, 255, 10), noExpiry);
	const files = await filesIn(store);
	const yaml = files.find(file => file.endsWith('yaml.yaml'))!;
	t.is(readFileSync(yaml, 'utf8'), '# got-cache-hooks {"key":"yaml","storedUntil":null,"isEntry":false,"size":10}\nname: Ada\n');
	t.deepEqual(parse(readFileSync(yaml, 'utf8')), {name: 'Ada'});
	t.true(files.some(file => file.endsWith('binary.bin')));
	t.deepEqual(Buffer.from((await store.get('binary'))!), Buffer.of(0, 255, 10));
	await store.close();
});

test('any value under any key comes back unchanged, and JSON objects stay JSON', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
	t.log(`seed ${seed}`);
	const beginning = fastCheck.constantFrom('', '{', '{}', '{ \n}', '{,', '{}}', '{"a":1', '# got-cache-hooks {', '\0', '\u{FFFD}');
	const value = fastCheck.oneof(
		fastCheck.dictionary(fastCheck.string(), fastCheck.jsonValue()).map(object => bytes(JSON.stringify(object, undefined, '\t'))),
		fastCheck.tuple(beginning, fastCheck.uint8Array()).map(([text, rest]) => Buffer.concat([Buffer.from(text), rest])),
	);
	await fastCheck.assert(fastCheck.asyncProperty(fastCheck.string({unit: 'binary', minLength: 1, maxLength: 1000}), value, async (key, content) => {
		await store.set(key, content, noExpiry);
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

test('keys that differ in case, Unicode form or path characters have different files on any file system', async t => {
	const store = new FilesystemStore({path: temporaryPath(t), extension: '.txt'});
	const keys = ['key', 'Key', 'KEY', 'é', 'e\u{301}', 'con', 'nul', '../key', '..', '.', 'a/b', 'a+b', 'a:b', 'a%3Ab', 'key.txt', '~', ' '];
	for (const key of keys) {
		await store.set(key, bytes(key), noExpiry);
	}

	const names = (await filesIn(store)).map(file => basename(file).normalize('NFC').toLowerCase());
	t.is(new Set(names).size, keys.length);
	t.true(names.every(name => /^[\d+a-z~]+\.txt$/v.test(name) && !/^(?:con|nul)\./v.test(name)));
	t.deepEqual(await listed(store), keys.toSorted());
	await store.close();
});

test('a value with another extension replaces the file of the older value', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
	for (const value of [bytes('{"a":1}'), bytes('a: 1'), Buffer.of(0), bytes('{}')]) {
		await store.set('key', value, noExpiry);
		t.is((await filesIn(store)).length, 1);
		t.deepEqual(Buffer.from((await store.get('key'))!), Buffer.from(value));
	}

	await store.close();
});

test('a damaged file is a miss, and the next write replaces it', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
	const cases: Array<(file: string) => void> = [
		file => {
			truncateSync(file, statSync(file).size - 1);
		},
		file => {
			truncateSync(file, 0);
		},
		file => {
			writeFileSync(file, Buffer.alloc(statSync(file).size));
		},
		file => {
			writeFileSync(file, ' ', {flag: 'a'});
		},
	];
	for (const damage of cases) {
		await store.set('key', bytes('{"a":1}'), noExpiry);
		const [file] = await filesIn(store);
		damage(file!);
		t.is(await store.get('key'), undefined);
		t.deepEqual(await listed(store), []);
		t.is(await store.count(), 0);
		await store.set('key', bytes('{"a":1}'), noExpiry);
		t.truthy(await store.get('key'));
	}

	await store.close();
});

test('files of other programs are never read, counted, replaced or removed, whatever their names', async t => {
	const path = temporaryPath(t);
	const old = (file: string): void => {
		utimesSync(file, 1, 1);
	};

	let time = 1e12;
	const store = new FilesystemStore({path, maxCacheBytes: 20_000, now: () => time});
	const entry = {expires: undefined, indexed: {createdAt: 1, freshUntil: undefined}};
	await store.set('key', bytes('{"a":1}'), noExpiry);
	const [file] = await filesIn(store) as [string];
	const content = readFileSync(file);
	await store.clear();
	t.false(existsSync(path) && readdirSync(path).length > 0);
	mkdirSync(dirname(file), {recursive: true});
	const outside = join(dirname(path), 'outside.json');
	writeFileSync(outside, content);
	const own: ReadonlyArray<readonly [string, string | Uint8Array]> = [
		[file, '{"notes": "mine"}'],
		[join(dirname(file), 'notes.json'), '{"key": "notes"}'],
		[join(dirname(file), 'x.yaml'), 'name: mine'],
		[join(dirname(file), 'copy.json'), content],
		[join(dirname(file), `~${'a'.repeat(64)}.bin`), Buffer.alloc(30_000, 1)],
		[join(dirname(file), '.5b0a33f0-0000-4000-8000-000000000000.tmp'), 'mine'],
		[join(dirname(file), 'notes.lock~'), 'mine'],
		[join(path, 'readme.json'), '{}'],
	];
	for (const [name, text] of own) {
		writeFileSync(name, text);
		old(name);
	}

	mkdirSync(join(path, 'ab'));
	mkdirSync(join(path, 'cd.json'));
	writeFileSync(join(path, 'ef'), 'a file with the name of a folder');
	const link = join(dirname(file), 'link.json');
	symlinkSync(outside, link);
	const isUntouched = (): void => {
		for (const [name, text] of own) {
			t.deepEqual(readFileSync(name), Buffer.from(text), name);
			t.is(statSync(name).mtimeMs, 1000, name);
		}

		t.true(existsSync(join(path, 'ab')) && existsSync(join(path, 'cd.json')) && existsSync(link));
		t.deepEqual(readFileSync(outside), content);
	};

	t.is(await store.get('key'), undefined);
	t.false(store.delete('key'));
	t.throws(() => store.set('key', bytes('{"a":2}'), noExpiry), {code: 'ERR_STORE_FILE', message: /key\.json/v});
	await t.throwsAsync(store.add('key', bytes('{"a":2}'), noExpiry), {code: 'ERR_STORE_FILE'});
	store.deleteMany(['key', 'notes', 'x', 'link', 'copy']);
	t.deepEqual([await listed(store), await store.count(), await store.size(), await filesIn(store)], [[], 0, 0, []]);
	isUntouched();
	for (let index = 0; index < 64 * 20; index++) {
		time += 100;
		await store.set(`key ${index % 200}`, Buffer.alloc(500, 1), {...entry, expires: time + 10_000});
		if (index % 64 === 0) {
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}
	}

	await store.size();
	isUntouched();
	t.true(await store.count() > 10, 'what others have does not count in the bound');
	await store.clear();
	isUntouched();
	const left = (readdirSync(path, {recursive: true}) as string[]).map(name => join(path, name)).filter(name => !statSync(name).isDirectory());
	t.deepEqual(left.toSorted(), [...own.map(([name]) => name), link, join(path, 'ef')].toSorted());
	await store.close();
});

test('a file of another program with the name of a lock file is an error at once', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), noExpiry);
	const [file] = await filesIn(store);
	store.delete('key');
	const lock = file!.replace('.yaml', '.lock~');
	writeFileSync(lock, 'mine');
	await t.throwsAsync(store.add('key', bytes('two'), noExpiry), {code: 'ERR_STORE_FILE', message: /lock~/v});
	rmSync(lock);
	mkdirSync(lock);
	await t.throwsAsync(store.add('key', bytes('two'), noExpiry), {code: 'ERR_STORE_FILE', message: /lock~/v});
	rmSync(lock, {recursive: true});
	t.true(await store.add('key', bytes('two'), noExpiry));
	await store.close();
});

(process.platform === 'win32' ? test.skip : test)('a FIFO, a socket, a folder or a device in place of a file is an error or a miss at once', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), noExpiry);
	const [file] = await filesIn(store) as [string];
	const lock = file.replace('.yaml', '.lock~');
	const server = createServer();
	const things: ReadonlyArray<readonly [string, (at: string) => void | Promise<void>]> = [
		['FIFO', at => {
			execFileSync('mkfifo', [at]);
		}],
		['socket', async at => {
			// The path of a socket must be short.
			const short = join(tmpdir(), `gch-${process.pid}`);
			server.listen(short);
			await once(server, 'listening');
			renameSync(short, at);
		}],
		['folder', at => {
			mkdirSync(at);
		}],
		['link to a device', at => {
			symlinkSync('/dev/zero', at);
		}],
		['link to nothing', at => {
			symlinkSync('nowhere', at);
		}],
	];
	for (const [name, make] of things) {
		for (const at of [file, lock]) {
			rmSync(file, {force: true});
			await make(at);
			t.is(await store.get('key'), undefined, name);
			t.deepEqual([await listed(store), await store.count(), await store.size()], [[], 0, 0], name);
			await t.throwsAsync(store.add('key', bytes('one'), noExpiry), {code: 'ERR_STORE_FILE'}, name);
			t.false(store.delete('key'));
			await store.clear();
			t.truthy(lstatSync(at), name);
			if (at === file) {
				t.throws(() => store.set('key', bytes('one'), noExpiry), {code: 'ERR_STORE_FILE'}, name);
			}

			rmSync(at, {recursive: true});
			if (name === 'socket') {
				server.close();
			}
		}
	}

	await store.close();
	for (const make of [things[0]![1], (at: string) => {
		writeFileSync(at, 'a file');
	}]) {
		rmSync(path, {recursive: true, force: true});
		await make(path);
		const another = new FilesystemStore({path});
		t.throws(() => another.get('key'), {code: 'ERR_STORE_OPEN', message: /there is no folder/v});
		t.throws(() => another.set('key', bytes('one'), noExpiry), {code: 'ERR_STORE_OPEN'});
		await t.throwsAsync(another.clear(), {code: 'ERR_STORE_OPEN'});
		await t.throwsAsync(listed(another), {code: 'ERR_STORE_OPEN'});
	}
});

test('with readOnly, nothing is created, changed or removed', async t => {
	const path = temporaryPath(t);
	const missing = new FilesystemStore({path, readOnly: true});
	for (let attempt = 0; attempt < 2; attempt++) {
		t.throws(() => missing.get('key'), {instanceOf: CacheHooksError, code: 'ERR_STORE_OPEN', message: /there is no folder/v});
		await t.throwsAsync(listed(missing), {code: 'ERR_STORE_OPEN'});
		await t.throwsAsync(missing.count(), {code: 'ERR_STORE_OPEN'});
		t.false(existsSync(path));
	}

	let time = 1000;
	const writer = new FilesystemStore({path, now: () => time});
	await writer.set('kept', bytes('one'), noExpiry);
	await writer.set('expired', bytes('one'), {expires: 2000});
	await writer.set('damaged', bytes('one'), noExpiry);
	const files = await filesIn(writer);
	truncateSync(files.find(file => file.includes('damaged'))!, 70);
	await writer.close();
	time = 1e12;
	const state = () => (readdirSync(path, {recursive: true}) as string[]).toSorted().map(name => [name, statSync(join(path, name)).mtimeMs]);
	const before = state();
	const store = createStore('filesystem', {
		path, readOnly: true, maxCacheBytes: 10, now: () => time,
	});
	t.is(Buffer.from((await store.get('kept'))!).toString(), 'one');
	t.is(await store.get('expired'), undefined);
	t.is(await store.get('damaged'), undefined);
	t.deepEqual(await listed(store), ['kept']);
	await store.size();
	const refused = {instanceOf: CacheHooksError, code: 'ERR_STORE_READ_ONLY'};
	t.throws(() => store.set('kept', bytes('two'), noExpiry), refused);
	t.throws(() => store.set('large', Buffer.alloc(100), noExpiry), refused);
	await t.throwsAsync(store.add('new', bytes('two'), noExpiry), refused);
	t.throws(() => store.delete('kept'), refused);
	t.throws(() => {
		store.deleteMany(['kept']);
	}, refused);
	await t.throwsAsync(store.clear(), refused);
	await store.close();
	t.deepEqual(state(), before);
	t.throws(() => new FilesystemStore({path, readOnly: 1 as unknown as boolean}), {instanceOf: TypeError, message: /\.readOnly`/v});
});

test('reads update the time of use; listing and counting do not', async t => {
	const path = temporaryPath(t);
	let time = 1e12;
	const store = new FilesystemStore({path, maxCacheBytes: 1_000_000, now: () => time});
	await store.set('key', bytes('one'), noExpiry);
	const [file] = await filesIn(store) as [string];
	time += 1e9;
	await listed(store);
	await store.count();
	await store.size();
	t.is(statSync(file).mtimeMs, 1e12);
	await store.get('key');
	t.is(statSync(file).mtimeMs, 1e12 + 1e9);
	// The clock is set back.
	time -= 1e8;
	await store.get('key');
	t.is(statSync(file).mtimeMs, 1e12 + 9e8);
	await store.close();
});

test('the newest value is never evicted, and the rest of the room stays in use', async t => {
	for (const size of [92_000, 99_000, 60_000, 500]) {
		let time = 1e12;
		const store = new FilesystemStore({path: temporaryPath(t), maxCacheBytes: 100_000, now: () => time});
		const evicted: string[] = [];
		store.watchEvictions(key => {
			evicted.push(key);
		});
		for (let index = 0; index < 90; index++) {
			time += 1000;
			await store.set(`key ${index}`, Buffer.alloc(900), {...noExpiry, indexed: {createdAt: time, freshUntil: undefined}});
		}

		await store.set('record', Buffer.alloc(100), noExpiry);
		// Even if the clock is set back.
		time -= 1_000_000;
		await store.set('new', Buffer.alloc(size), {...noExpiry, indexed: {createdAt: time, freshUntil: undefined}});
		await store.close();
		const reader = new FilesystemStore({path: store.path});
		const left = await listed(reader);
		t.true(left.includes('new') && left.includes('record'), `${size}: ${left.join(' ')}`);
		t.true(await reader.size() <= 100_000);
		t.true(await reader.size() >= 85_000, `${await reader.size()}`);
		t.is(left.length + evicted.length, 92);
		t.false(evicted.includes('key 89') && left.includes('key 0'));
	}
});

test('a file with a modification time in the future is evicted in the end', async t => {
	const path = temporaryPath(t);
	let time = 2e12;
	const store = new FilesystemStore({path, maxCacheBytes: 100_000, now: () => time});
	const indexed = {createdAt: 1, freshUntil: undefined};
	await store.set('future', Buffer.alloc(900), {...noExpiry, indexed});
	time = 1e12;
	for (let index = 0; index < 400; index++) {
		time += 61_000;
		await store.set(`key ${index}`, Buffer.alloc(900), {...noExpiry, indexed});
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}

	t.false((await listed(store)).includes('future'));
	await store.close();
});

test.serial('the lock of an ended process is removed at once, whatever its modification time', async t => {
	// The time after which a lock is over by itself never passes.
	const {now} = performance;
	performance.now = () => 0;
	t.teardown(() => {
		performance.now = now;
	});
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), noExpiry);
	const [file] = await filesIn(store) as [string];
	const lock = file.replace('.yaml', '.lock~');
	const {pid} = spawnSync(process.execPath, ['--version']);
	const dead = processIdentity().split('/').with(3, String(pid)).join('/');
	for (const hours of [0, 24]) {
		store.delete('key');
		writeFileSync(lock, `# got-cache-hooks lock ${dead} 5b0a33f0\n`);
		writeFileSync(`${lock}~`, `# got-cache-hooks lock ${dead} 5b0a33f0\n`);
		utimesSync(lock, (Date.now() / 1000) + (hours * 3600), (Date.now() / 1000) + (hours * 3600));
		t.true(await store.add('key', bytes('two'), noExpiry));
		t.deepEqual(readdirSync(dirname(file)), [basename(file)]);
	}

	// A running process keeps its lock.
	store.delete('key');
	writeFileSync(lock, `# got-cache-hooks lock ${processIdentity()} 5b0a33f0\n`);
	const adding = store.add('key', bytes('three'), noExpiry);
	t.is(await Promise.race([adding, new Promise(resolve => {
		setTimeout(resolve, 50, 'waits');
	})]), 'waits');
	rmSync(lock);
	t.true(await adding);
	await store.close();
});

test('clear leaves files of other programs, and files that are being written', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), noExpiry);
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

test('writes remove expired files and the left-overs of killed writers', async t => {
	const path = temporaryPath(t);
	let time = 1000;
	const store = new FilesystemStore({path, now: () => time});
	for (let index = 0; index < 20; index++) {
		await store.set(`old ${index}`, bytes('one'), {expires: 2000});
	}

	const [file] = await filesIn(store);
	const left = join(dirname(file!), '.5b0a33f0-0000-4000-8000-000000000000.tmp');
	writeFileSync(left, '# got-cache-hooks {"key":"half');
	utimesSync(left, 1, 1);
	time = 2000;
	// Each sweep looks at one of at most 21 folders.
	for (let index = 0; index < 64 * 25; index++) {
		await store.set('new', bytes('{}'), noExpiry);
	}

	t.deepEqual((await filesIn(store)).map(name => basename(name)), ['new.json']);
	t.false(existsSync(left));
	await store.close();
});

test('maxCacheBytes evicts the least recently used files, even if another process writes them', async t => {
	const path = temporaryPath(t);
	let time = 1e12;
	const maxCacheBytes = 100_000;
	const open = () => new FilesystemStore({path, maxCacheBytes, now: () => time});
	const [store, other] = [open(), open()];
	await store.set('hot', Buffer.alloc(900), noExpiry);
	for (let index = 0; index < 400; index++) {
		time += 61_000;
		t.truthy(await store.get('hot'), `${index}`);
		await (index % 2 === 0 ? store : other).set(`key-${index}`, Buffer.alloc(900), noExpiry);
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
	await last.set('hot', Buffer.alloc(maxCacheBytes), noExpiry);
	t.is(await last.get('hot'), undefined);
	await last.close();
});

test('values without indexed are evicted last, since entries depend on them', async t => {
	const path = temporaryPath(t);
	let time = 1e12;
	const store = new FilesystemStore({path, now: () => time});
	await store.set('record', Buffer.alloc(10), noExpiry);
	for (let index = 0; index < 50; index++) {
		time += 1000;
		await store.set(`key-${index}`, Buffer.alloc(900), {...noExpiry, indexed: {createdAt: time, freshUntil: undefined}});
	}

	// The first write measures what is there.
	const bounded = new FilesystemStore({path, maxCacheBytes: 10_000, now: () => time});
	const evicted: string[] = [];
	bounded.watchEvictions(key => {
		evicted.push(key);
	});
	await bounded.set('last', Buffer.alloc(900), noExpiry);
	await bounded.close();
	const left = await listed(store);
	t.true(left.includes('record') && !left.includes('key-0'), left.join(' '));
	t.is(evicted[0], 'key-0');
	t.deepEqual([...left, ...evicted].toSorted(), ['record', 'last', ...Array.from({length: 50}, (_, index) => `key-${index}`)].toSorted());
});

test('an add waits no longer than ten seconds for a lock whose process is unknown', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path});
	await store.set('key', bytes('one'), noExpiry);
	const [file] = await filesIn(store);
	store.delete('key');
	const lock = file!.replace('.yaml', '.lock~');
	writeFileSync(lock, '');
	utimesSync(lock, 1, 1);
	t.true(await store.add('key', bytes('two'), noExpiry));
	t.deepEqual(readdirSync(dirname(file!)), [basename(file!)]);
	await store.close();
});

test('after close, every call throws ERR_STORE_CLOSED', async t => {
	const store = new FilesystemStore({path: temporaryPath(t)});
	await store.close();
	await store.close();
	const closed = {code: 'ERR_STORE_CLOSED'};
	t.throws(() => store.get('key'), closed);
	t.throws(() => store.set('key', bytes('one'), noExpiry), closed);
	await t.throwsAsync(async () => listed(store), closed);
});

test('a path may begin with ~/, missing folders are created, and the store has its absolute path', async t => {
	t.is(new FilesystemStore({path: '~/cache'}).path, join(homedir(), 'cache'));
	t.is(new FilesystemStore({path: 'cache'}).path, join(process.cwd(), 'cache'));
	t.is(createStore('filesystem').path, join(process.cwd(), 'http_cache'));
	const store = new FilesystemStore({path: join(temporaryPath(t), 'deep', 'er')});
	await store.set('key', bytes('one'), noExpiry);
	t.true(existsSync(store.path));
	await store.close();
});

test('wrong options and values throw an error', t => {
	t.throws(() => new FilesystemStore({path: ''}), {instanceOf: TypeError, message: /\.path`/v});
	t.throws(() => new FilesystemStore({extension: 'json'}), {instanceOf: TypeError, message: /\.extension`/v});
	t.throws(() => new FilesystemStore({maxCacheBytes: 0}), {instanceOf: TypeError, message: /\.maxCacheBytes`/v});
	t.throws(() => new FilesystemStore({useTemp: true, useCacheDir: true}), {instanceOf: TypeError, message: /\.useCacheDir`/v});
	t.throws(() => new FilesystemStore({path: testFolder(t)}).set('key', 'text', noExpiry), {code: 'ERR_STORE_VALUE'});
});

/** Runs a program with a store as another user, or with a limit on the size of files. */
function elsewhere(program: string, prefix: string, path: string, user?: number): string {
	const source = `
		import {Buffer} from 'node:buffer';
		import {FilesystemStore} from ${JSON.stringify(new URL('../../../source/stores/filesystem/store.ts', import.meta.url).href)};
		const noExpiry = {expires: undefined};
		const code = async action => {
			try {
				return await action();
			} catch (error) {
				return error.code;
			}
		};
		const store = new FilesystemStore({path: process.argv[1], maxCacheBytes: 1e7});
		${program}
	`;
	const command = `${prefix} exec "$0" --disable-warning=ExperimentalWarning --input-type=module-typescript -e "$1" "$2"`;
	return execFileSync('/bin/sh', ['-c', command, process.execPath, source, path], {encoding: 'utf8', ...(user !== undefined && {uid: user, gid: user})});
}

(process.platform === 'win32' ? test.skip : test)('a write to a full disk leaves no file, and entries can be deleted', async t => {
	const path = temporaryPath(t);
	const writer = new FilesystemStore({path});
	await writer.set('small', bytes('one'), noExpiry);
	await writer.set('large', Buffer.alloc(2_000_000), noExpiry);
	const output = elsewhere(`
		const results = [];
		results.push(await code(() => store.set('small', Buffer.alloc(300_000), noExpiry)));
		results.push(await code(() => store.set('large', Buffer.alloc(3_000_000), noExpiry)));
		results.push(await code(() => store.add('new', Buffer.alloc(300_000), noExpiry)));
		results.push((await store.get('small')).byteLength, (await store.get('large')).byteLength);
		console.log(JSON.stringify(results));
	`, 'trap "" XFSZ; ulimit -f 100;', path);
	t.deepEqual(JSON.parse(output), ['EFBIG', 'EFBIG', 'EFBIG', 3, 2_000_000]);
	const files = (): string[] => (readdirSync(path, {recursive: true}) as string[]).filter(name => name.length > 2);
	t.is(files().length, 2, files().join(' '));
	elsewhere('store.delete(\'large\'); await store.clear();', 'trap "" XFSZ; ulimit -f 0;', path);
	t.deepEqual(files(), []);
	await writer.close();
});

(process.geteuid?.() === 0 ? test : test.skip)('a folder without write permission can be read', async t => {
	const path = temporaryPath(t);
	const store = new FilesystemStore({path, fileMode: 0o644});
	await store.set('key', bytes('one'), noExpiry);
	await store.set('large', Buffer.alloc(2_000_000), noExpiry);
	await store.set('expired', bytes('one'), {expires: 1});
	chmodSync(dirname(path), 0o755);
	const before = readdirSync(path, {recursive: true});
	const output = elsewhere(`
		const results = [String(await store.get('key')), (await store.get('large')).byteLength, await store.get('expired') ?? null, await store.count()];
		results.push((await Array.fromAsync(store.iterate())).length);
		results.push(await code(() => store.set('key', Buffer.from('two'), noExpiry)), await code(() => store.add('new', Buffer.from('two'), noExpiry)), await code(() => store.delete('key')));
		await store.close();
		console.log(JSON.stringify(results));
	`, '', path, 65_534);
	t.deepEqual(JSON.parse(output), ['one', 2_000_000, null, 0, 2, 'EACCES', 'EACCES', 'EACCES']);
	t.deepEqual(readdirSync(path, {recursive: true}), before);
	await store.close();
});

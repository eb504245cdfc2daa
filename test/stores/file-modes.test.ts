/* eslint no-bitwise: "off" -- Permissions are bits. */
import {Buffer} from 'node:buffer';
import {execFile, fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync,
	chownSync,
	mkdirSync,
	readdirSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import got from 'got';
import {
	cacheHooks,
	createStore,
	getCache,
	SettingError,
	type CacheSettings,
	type StoreName,
} from '../../source/index.ts';
import {openSqliteFile} from '../../source/stores/sqlite/file.ts';
import {sqliteSettings} from '../../source/stores/sqlite/options.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import type {Outcome, Task} from './file-modes-main.ts';

// Windows has no permission bits. The tests are serial, since most of them start processes.
const posix = process.platform === 'win32' ? test.serial.skip : test.serial;
/** Only the superuser can give a file to another user. */
const asRoot = process.geteuid?.() === 0 ? test.serial : test.serial.skip;

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return
const noExpiry = {expires: undefined} as const;
const names = ['sqlite', 'filesystem'] as const;
const umasks = [0o000, 0o002, 0o022, 0o077, 0o177, 0o777] as const;
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
const modeOf = (path: string): string => octal(statSync(path).mode % 0o1000);

/** Runs a synchronous action with a umask. All tests of this process share the umask. */
function withUmask<T>(umask: number, action: () => T): T {
	const before = process.umask(umask);
	try {
		return action();
	} finally {
		process.umask(before);
	}
}

type User = {readonly uid?: number; readonly gid?: number};

function startProcess(user: User = {}): ChildProcess {
	return fork(join(import.meta.dirname, 'file-modes-main.ts'), {execArgv: ['--disable-warning=ExperimentalWarning'], ...user});
}

/** Creates files in another process, and returns their modes. */
async function createIn(child: ChildProcess, task: Task): Promise<Outcome> {
	mkdirSync(task.folder, {recursive: true});
	child.send(task);
	const [outcome] = await Promise.race([
		once(child, 'message'),
		once(child, 'exit').then(([code]) => {
			throw new Error(`The other process ended with ${String(code)}`);
		}),
	]) as [Outcome];
	return outcome;
}

let child: ChildProcess | undefined;

/** Creates files in the process that all tests but those of several processes share, since a start takes longer than a task. */
async function elsewhere(task: Task): Promise<Outcome> {
	child ??= startProcess();
	return createIn(child, task);
}

async function inProcessOfItsOwn(task: Task, user: User): Promise<Outcome> {
	const own = startProcess(user);
	try {
		return await createIn(own, task);
	} finally {
		own.disconnect();
	}
}

test.after.always(() => {
	child?.disconnect();
});

function expectModes(t: ExecutionContext, {during, after}: Outcome, {file, folder}: {readonly file: number; readonly folder: number}): void {
	for (const [path, mode] of [...Object.entries(during), ...Object.entries(after)]) {
		const isFile = /\.[a-z~]+(?:-wal|-shm|-journal)?$/v.test(path);
		t.is(mode, octal(isFile ? file : folder), path);
	}
}

/** The files and folders that each store creates. */
const written = {
	sqlite: ['cache.db', 'cache.db-wal', 'cache.db-shm'],
	filesystem: ['deep', 'deep/er', /^deep\/er\/[\da-f]{2}$/v, /\/small\.yaml$/v, /\/large\.bin$/v, /\/added\.bin$/v, /\/added\.lock~$/v, /\/\.UUID\.tmp$/v],
} as const;
const options = (name: StoreName, folder: string): object => ({path: join(folder, name === 'sqlite' ? 'cache.db' : 'deep/er')});

for (const name of names) {
	for (const umask of umasks) {
		posix(`${name}: new files are private to their owner with the umask ${octal(umask)}`, async t => {
			const folder = testFolder(t);
			const outcome = await elsewhere({
				folder, umask, name, options: options(name, folder),
			});
			t.deepEqual(outcome.values, ['3', '1500000', '1500000']);
			expectModes(t, outcome, {file: 0o600, folder: 0o700});
			for (const path of written[name]) {
				t.true(Object.keys(outcome.during).some(made => typeof path === 'string' ? made === path : path.test(made)), String(path));
			}

			for (const [path, mode] of Object.entries(outcome.made)) {
				t.regex(mode, /^0[0-7]00$/v, `${path} could be read by others when it was made`);
			}
		});
	}

	for (const [fileMode, folderMode] of [[0o660, 0o770], [0o640, 0o750], [0o644, 0o755], [0o666, 0o777], [0o600, 0o700], [0o620, 0o730]] as const) {
		posix(`${name}: with fileMode ${octal(fileMode)}, new files have this mode and new folders ${octal(folderMode)}`, async t => {
			const folder = testFolder(t);
			for (const umask of [0o000, 0o077]) {
				const outcome = await elsewhere({
					folder: join(folder, octal(umask)), umask, name, options: {...options(name, join(folder, octal(umask))), fileMode},
				});
				t.deepEqual(outcome.values, ['3', '1500000', '1500000']);
				expectModes(t, outcome, {file: fileMode, folder: folderMode});
			}
		});
	}
}

for (const name of names) {
	posix(`${name}: existing files and folders keep their modes`, async t => {
		for (const [file, folder] of [[0o644, 0o755], [0o640, 0o750], [0o664, 0o775], [0o600, 0o700]] as const) {
			for (const fileMode of [undefined, 0o660]) {
				const root = testFolder(t);
				const store = createStore(name, options(name, root));
				await store.set('key', Buffer.from('one'), noExpiry);
				await store.set('large', Buffer.alloc(1_500_000), noExpiry);
				await store.close();
				const paths = (readdirSync(root, {recursive: true}) as string[]).map(path => join(root, path));
				for (const path of [root, ...paths]) {
					chmodSync(path, statSync(path).isFile() ? file : folder);
				}

				const again = createStore(name, {...options(name, root), fileMode});
				await again.set('key', Buffer.from('two'), noExpiry);
				await again.set('large', Buffer.alloc(1_600_000), noExpiry);
				const logs = (readdirSync(root, {recursive: true}) as string[]).filter(path => /-(?:wal|shm)$/v.test(path));
				t.deepEqual(logs.map(path => modeOf(join(root, path))), name === 'sqlite' ? [octal(file), octal(file)] : []);
				await again.close();
				for (const path of [root, ...paths]) {
					t.is(modeOf(path), octal(statSync(path).isFile() ? file : folder), path);
				}
			}
		}
	});

	posix(`${name}: processes that create the same files at once all write`, async t => {
		// The superuser has all permissions.
		const user = process.geteuid!() === 0 ? {uid: 65_534, gid: 65_534} : {};
		for (const umask of [0o022, 0o077]) {
			const folder = testFolder(t);
			if (user.uid !== undefined) {
				chownSync(folder, user.uid, user.gid);
			}

			const startTime = Date.now() + 1500;
			const all = await Promise.all(Array.from({length: 6}, async () => inProcessOfItsOwn({
				folder, umask, name, options: options(name, folder), startTime,
			}, user)));
			for (const outcome of all) {
				t.deepEqual(outcome.values, ['3', '1500000', '1500000']);
			}

			const paths = readdirSync(folder, {recursive: true}) as string[];
			t.true(paths.length > 0);
			for (const path of paths) {
				t.is(modeOf(join(folder, path)), statSync(join(folder, path)).isFile() ? '0600' : '0700', path);
			}
		}
	});

	posix(`${name}: the umask decides the mode of recordings, unless fileMode is set`, async t => {
		for (const umask of [0o000, 0o022, 0o027]) {
			const folder = testFolder(t);
			const task = {
				folder, umask, name, isRecording: true,
			} as const;
			const outcome = await elsewhere({...task, options: options(name, folder)});
			t.deepEqual(outcome.values, ['3', '1500000', '1500000']);
			expectModes(t, outcome, {file: 0o666 & ~umask, folder: 0o777 & ~umask});
			const other = join(folder, 'other');
			expectModes(t, await elsewhere({...task, folder: other, options: {...options(name, other), fileMode: 0o640}}), {file: 0o640, folder: 0o750});
		}
	});

	for (const mode of ['record', 'record-missing', undefined] as const) {
		const meant = mode === undefined ? {file: '0600', folder: '0700'} : {file: '0664', folder: '0775'};
		posix(`${name}: ${mode === undefined ? 'a cache without a mode' : `mode '${mode}'`} creates files with mode ${meant.file}, in a store that is given by name or as an instance`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.setHeader('cache-control', 'max-age=100');
				response.end('one');
			});
			const before = process.umask(0o002);
			t.teardown(() => {
				process.umask(before);
			});
			const folder = testFolder(t);
			const path = join(folder, name === 'sqlite' ? 'given.db' : 'given');
			const settings: CacheSettings[] = [
				{store: name, cacheName: join(folder, 'named')},
				{store: createStore(name, {path}), autoclose: true},
			];
			for (const setting of settings) {
				const client = got.extend(cacheHooks({...setting, mode}));
				await client(origin.url);
				await client(origin.url, {headers: {authorization: 'Bearer abc'}});
				await getCache(client).close();
			}

			const paths = readdirSync(folder, {recursive: true}) as string[];
			t.true(paths.length >= 2);
			for (const made of paths) {
				t.is(modeOf(join(folder, made)), statSync(join(folder, made)).isFile() ? meant.file : meant.folder, made);
			}
		});
	}

	test(`${name}: an invalid fileMode throws an error that names the allowed modes`, t => {
		for (const fileMode of [0, 660, 600, 0o400, 0o200, 0o060, 0o700, 0o770, 0o1600, 0o1_0600, 384.5, -1, (2 ** 32) + 0o600, NaN, Infinity, '0660', 'umask', null, true, {}]) {
			const error = t.throws<SettingError>(() => createStore(name, {fileMode: fileMode as number}), {instanceOf: SettingError, code: 'ERR_CACHE_SETTING', message: /\.fileMode` to be .*`0o660`/v});
			t.true(error instanceof TypeError);
			t.is(error.path, `createStore('${name}').fileMode`);
		}

		t.notThrows(() => createStore(name, {fileMode: undefined}));
	});
}

asRoot('filesystem: a new file does not take over the mode of a file of another user', async t => {
	const folder = testFolder(t);
	const store = createStore('filesystem', {path: folder});
	for (const size of [10, 1_500_000]) {
		await store.set('key', Buffer.alloc(size), noExpiry);
		const [path] = await Array.fromAsync(store.paths()) as [string];
		chmodSync(path, 0o666);
		chownSync(path, 12_345, 12_345);
		await store.set('key', Buffer.alloc(size), noExpiry);
		t.is(modeOf(path), '0600');
		t.is(statSync(path).uid, 0);
	}

	await store.close();
});

posix('a new folder inherits the set-group-ID bit of its parent', async t => {
	const folder = testFolder(t);
	chmodSync(folder, 0o2770);
	const store = createStore('filesystem', {path: join(folder, 'deep'), fileMode: 0o660});
	withUmask(0o077, () => {
		void store.set('key', Buffer.from('one'), noExpiry);
	});
	// Some systems have no such bit, or do not inherit it.
	const expected = (() => {
		mkdirSync(join(folder, 'compared'));
		return statSync(join(folder, 'compared')).mode & 0o7000;
	})();
	t.is(octal(statSync(join(folder, 'deep')).mode & 0o7777), octal(expected | 0o770));
	await store.close();
});

posix('fileMode applies to a store that is given by URL', async t => {
	const folder = testFolder(t);
	const stores = [createStore(`sqlite://${folder}/a.db`, {fileMode: 0o640}), createStore(`file://${folder}/b`, {fileMode: 0o640})];
	for (const store of stores) {
		await store.set('key', Buffer.from('one'), noExpiry);
		await store.close();
	}

	t.is(modeOf(join(folder, 'a.db')), '0640');
	t.is(modeOf(join(folder, 'b')), '0750');
});

posix('sqlite: the rollback journal has the mode of the file, and VACUUM does not change it', t => {
	const path = join(testFolder(t), 'cache.db');
	withUmask(0, () => {
		const store = createStore('sqlite', {path, wal: false});
		for (let index = 0; index < 100; index++) {
			void store.set(`key ${index}`, Buffer.alloc(20_000), noExpiry);
		}

		t.is(store.count(), 0, 'written');
		const database = new DatabaseSync(path);
		database.exec('BEGIN; DELETE FROM entries');
		t.is(modeOf(`${path}-journal`), '0600');
		database.exec('COMMIT; VACUUM');
		database.close();
		t.is(modeOf(path), '0600');
		void store.close();
	});
});

posix('sqlite: the file that replaces a damaged one is private to its owner', t => {
	const folder = testFolder(t);
	const path = join(folder, 'cache.db');
	withUmask(0, () => {
		const store = createStore('sqlite', {path, now: () => 5000});
		void store.set('key', Buffer.alloc(100_000), noExpiry);
		void store.close();
		truncateSync(path, 20_000);
		chmodSync(path, 0o644);
		const again = createStore('sqlite', {path, now: () => 5000});
		t.throws(() => again.get('key'), {code: 'ERR_STORE_CORRUPT', message: /set aside/v});
		void again.set('key', Buffer.from('one'), noExpiry);
		t.deepEqual(Object.fromEntries(readdirSync(folder).map(name => [name, modeOf(join(folder, name))])), Object.fromEntries([
			['cache.db', '0600'], ['cache.db-shm', '0600'], ['cache.db-wal', '0600'], ['cache.db.corrupt-5000', '0644'],
		]));
		void again.close();
	});
});

posix('sqlite: a file that another process removes just before it is opened is created again, private to its owner', t => {
	const path = join(testFolder(t), 'cache.db');
	const settings = sqliteSettings({path});
	const location = settings.location!;
	const provide = location.provideFile.bind(location);
	let count = 0;
	location.provideFile = file => {
		provide(file);
		count++;
		if (count === 1) {
			rmSync(file);
		}
	};

	withUmask(0, () => {
		const {database} = openSqliteFile(settings);
		t.is(modeOf(path), '0600');
		t.is(count, 2);
		database.close();
	});
});

posix('sqlite: a symbolic link to a missing file creates that file, private to its owner', t => {
	const folder = testFolder(t);
	symlinkSync(join(folder, 'target.db'), join(folder, 'link.db'));
	withUmask(0, () => {
		const store = createStore('sqlite', {path: join(folder, 'link.db')});
		void store.set('key', Buffer.from('one'), noExpiry);
		t.is(modeOf(join(folder, 'target.db')), '0600');
		t.is(modeOf(join(folder, 'target.db-wal')), '0600');
		void store.close();
	});
});

posix('sqlite: a file has exactly the given name, whatever characters it contains', t => {
	const folder = testFolder(t);
	for (const name of ['a b', 'a%20b', 'a?mode=memory', 'a#b', 'ä&b=c', String.raw`a\\b`, 'file:a', ':memory:.db']) {
		const store = createStore('sqlite', {path: join(folder, name)});
		void store.set('key', Buffer.from('one'), noExpiry);
		t.deepEqual(new Set(readdirSync(folder)), new Set([name, `${name}-shm`, `${name}-wal`]));
		void store.close();
		t.deepEqual(readdirSync(folder), [name]);
		rmSync(join(folder, name));
	}
});

posix('sqlite: a file without write permission can be read and keeps its mode', t => {
	const path = join(testFolder(t), 'cache.db');
	const store = createStore('sqlite', {path, wal: false});
	void store.set('key', Buffer.from('one'), noExpiry);
	void store.close();
	chmodSync(path, 0o444);
	const again = createStore('sqlite', {path, wal: false});
	t.truthy(again.get('key'));
	void again.close();
	t.is(modeOf(path), '0444');
});

// Elsewhere no system folder says that a parent is missing which is there.
const linux = process.platform === 'linux' ? test.serial : test.serial.skip;

for (const name of names) {
	for (const mode of ['', ', fileMode: 0o666']) {
		linux(`${name} fails at once in a folder that cannot be made${mode}`, async t => {
			const source = new URL('../../source/index.ts', import.meta.url).href;
			const program = `
				import {createStore, HttpCache} from '${source}';
				const opened = createStore('${name}', {path: '/proc/missing/folder/cache'${mode}});
				await new HttpCache({store: opened}).save({url: 'https://example.com'}, {body: ''}).catch(error => console.log(error.message));
			`;
			const {stdout} = await run(process.execPath, ['--input-type=module', '--eval', program], {timeout: 20_000});
			t.regex(stdout, /ENOENT.*\/proc\/missing/v);
		});
	}
}

/* eslint no-bitwise: "off" -- Permissions are bits. */
import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {
	chmodSync,
	chownSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import got from 'got';
import {
	cacheHooks,
	createStore,
	getCache,
} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import type {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import type {Outcome} from './own-folders-main.ts';

// Windows has neither owners nor permission bits that Node knows. The tests are serial, since most of them start processes.
const posix = process.platform === 'win32' ? test.serial.skip : test.serial;
/** Only the superuser can give a file to another user. */
const asRoot = process.geteuid?.() === 0 ? test.serial : test.serial.skip;
const otherUser = 12_345;

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

/** A default place: the folders from the system's folder to that of `path`. */
type Place = {readonly base: string; readonly outermost: string; readonly own: string; readonly deep: string};

type Setup = {readonly root: string; readonly env: Record<string, string>; readonly temporary: Place; readonly cache: Place};

function setUp(t: ExecutionContext): Setup {
	const root = testFolder(t);
	const isMac = process.platform === 'darwin';
	const place = (base: string, ...user: readonly string[]): Place => {
		const own = join(base, ...user, 'got-cache-hooks-nodejs');
		return {
			base, outermost: join(base, user[0] ?? 'got-cache-hooks-nodejs'), own, deep: join(own, 'deep'),
		};
	};

	return {
		root,
		env: Object.fromEntries([['TMPDIR', `${root}/temp`], ['HOME', `${root}/ada`], ['XDG_CACHE_HOME', `${root}/cache`]]),
		temporary: place(`${root}/temp`, ...isMac ? [] : ['ada']),
		cache: place(isMac ? `${root}/ada/Library/Caches` : `${root}/cache`),
	};
}

/** On Linux, a store that is created in this process finds the folder for caches by the environment at that moment. */
function inCacheFolder<T>({env}: Setup, action: () => T): T {
	const before = process.env.XDG_CACHE_HOME;
	process.env.XDG_CACHE_HOME = env.XDG_CACHE_HOME;
	try {
		return action();
	} finally {
		if (before === undefined) {
			delete process.env.XDG_CACHE_HOME;
		} else {
			process.env.XDG_CACHE_HOME = before;
		}
	}
}

async function tryOut({env}: Setup, options: {readonly fileMode?: number; readonly umask?: number; readonly isRecording?: boolean} = {}): Promise<Outcome[]> {
	const {stdout} = await run(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'own-folders-main.ts'), JSON.stringify(options)], {env: {...process.env, ...env}});
	return JSON.parse(stdout) as Outcome[];
}

function makeFolder(path: string, mode = 0o755): void {
	mkdirSync(path, {recursive: true});
	chmodSync(path, mode);
}

const tree = (root: string): unknown => (readdirSync(root, {recursive: true}) as string[]).toSorted().map(path => {
	const {mode, uid, size, mtimeMs} = lstatSync(join(root, path));
	return [path, mode, uid, size, mtimeMs];
});

type Row = {
	/** Prepares each of the two places, which exists with mode 0755. */
	readonly prepare: (place: Place) => void;
	/** The expected message, or `undefined` if the place is used. */
	readonly refused?: (place: Place) => RegExp;
	readonly fileMode?: number;
	/** The store that refuses the place, if the other uses it. */
	readonly store?: 'sqlite';
};

const writable = (path: string, mode: string) => new RegExp(`^Others can write to \`${path}\` \\(mode ${mode}\\).*(?:useTemp|useCacheDir).*(?:remove it|sticky)`, 'v');
const foreign = (path: string) => new RegExp(`\`${path}\` belongs to the user ${otherUser}, not to ${process.geteuid?.()}.*(?:useTemp|useCacheDir).*(?:remove it|sticky)`, 'v');

const rows: Record<string, Row> = {
	'a folder of this user that others can read': {prepare() {}},
	'a folder that others can write to': {
		prepare({own}) {
			chmodSync(own, 0o777);
		},
		refused: ({own}) => writable(own, '0777'),
	},
	'a folder that the group can write to': {
		prepare({own}) {
			chmodSync(own, 0o775);
		},
		refused: ({own}) => writable(own, '0775'),
	},
	'a folder in which others can create files, but not remove them': {
		prepare({own}) {
			chmodSync(own, 0o1777);
		},
		refused: ({own}) => writable(own, '1777'),
	},
	'an outer folder that others can write to': {
		prepare({outermost}) {
			chmodSync(outermost, 0o773);
		},
		refused: ({outermost}) => writable(outermost, '0773'),
	},
	'a folder of the path that others can write to': {
		prepare({deep}) {
			makeFolder(deep, 0o757);
		},
		refused: ({deep}) => writable(deep, '0757'),
	},
	'a system folder in which others can rename what they do not own': {
		prepare({base}) {
			chmodSync(base, 0o777);
		},
		refused: ({base}) => writable(base, '0777'),
	},
	'a system folder with the sticky bit': {
		prepare({base}) {
			chmodSync(base, 0o1777);
		},
	},
	'a symbolic link of this user': {
		prepare({own, base}) {
			renameSync(own, join(base, 'elsewhere'));
			symlinkSync(join(base, 'elsewhere'), own);
		},
	},
	'a symbolic link to a folder that others can write to': {
		prepare({own, base}) {
			renameSync(own, join(base, 'elsewhere'));
			chmodSync(join(base, 'elsewhere'), 0o777);
			symlinkSync(join(base, 'elsewhere'), own);
		},
		refused: ({own}) => writable(own, '0777'),
	},
	'a folder that the group can write to, with a fileMode for the group': {
		prepare({own}) {
			chmodSync(own, 0o770);
		},
		fileMode: 0o660,
	},
	'a folder that all can write to, with a fileMode for the group': {
		prepare({own}) {
			chmodSync(own, 0o777);
		},
		refused: ({own}) => writable(own, '0777'),
		fileMode: 0o660,
	},
	'a file that others can write to': {
		prepare({deep}) {
			makeFolder(deep);
			writeFileSync(join(deep, 'cache.db'), '');
			chmodSync(join(deep, 'cache.db'), 0o666);
		},
		refused: ({deep}) => writable(join(deep, 'cache.db'), '0666'),
		store: 'sqlite',
	},
	'a file that others could write to if they could enter its folder': {
		prepare({outermost, deep}) {
			makeFolder(deep);
			writeFileSync(join(deep, 'cache.db'), '');
			chmodSync(join(deep, 'cache.db'), 0o666);
			chmodSync(outermost, 0o700);
		},
	},
};

const rowsOfRoot: Record<string, Row> = {
	'a system folder that a shared group can write to': {
		prepare({base}) {
			chmodSync(base, 0o775);
			chownSync(base, process.geteuid!(), otherUser);
		},
		refused: ({base}) => writable(base, '0775'),
	},
	'a system folder that the private group of the user can write to': {
		prepare({base}) {
			chmodSync(base, 0o775);
			chownSync(base, process.geteuid!(), process.geteuid!());
		},
	},
	'a folder of another user': {
		prepare({own}) {
			chownSync(own, otherUser, 0);
		},
		refused: ({own}) => foreign(own),
	},
	'an outer folder of another user': {
		prepare({outermost}) {
			chownSync(outermost, otherUser, 0);
		},
		refused: ({outermost}) => foreign(outermost),
	},
	'a folder of another user, with a fileMode for all': {
		prepare({own}) {
			chownSync(own, otherUser, 0);
		},
		refused: ({own}) => foreign(own),
		fileMode: 0o666,
	},
	'a symbolic link of another user': {
		prepare({own, base}) {
			renameSync(own, join(base, 'elsewhere'));
			symlinkSync(join(base, 'elsewhere'), own);
			lchownSync(own, otherUser, 0);
		},
		refused: ({own}) => foreign(own),
	},
	'a symbolic link of another user that points nowhere': {
		prepare({own, base}) {
			rmSync(own, {recursive: true});
			symlinkSync(join(base, 'elsewhere'), own);
			lchownSync(own, otherUser, 0);
		},
		refused: ({own}) => foreign(own),
	},
	'a symbolic link to a folder of another user': {
		prepare({own, base}) {
			renameSync(own, join(base, 'elsewhere'));
			chownSync(join(base, 'elsewhere'), otherUser, 0);
			symlinkSync(join(base, 'elsewhere'), own);
		},
		refused: ({own}) => foreign(own),
	},
	...Object.fromEntries(['', '-wal', '-journal'].map((suffix): [string, Row] => [`a file of another user, cache.db${suffix}`, {
		prepare({deep}) {
			makeFolder(deep);
			writeFileSync(join(deep, `cache.db${suffix}`), '');
			chownSync(join(deep, `cache.db${suffix}`), otherUser, 0);
		},
		refused: ({deep}) => foreign(join(deep, `cache.db${suffix}`)),
		store: 'sqlite',
	}])),
	'a symbolic link of another user in place of the file': {
		prepare({deep, base}) {
			makeFolder(deep);
			writeFileSync(join(base, 'target'), '');
			symlinkSync(join(base, 'target'), join(deep, 'cache.db'));
			lchownSync(join(deep, 'cache.db'), otherUser, 0);
		},
		refused: ({deep}) => foreign(join(deep, 'cache.db')),
		store: 'sqlite',
	},
};

for (const [name, {prepare, refused, fileMode, store: only}] of Object.entries({...rows, ...rowsOfRoot})) {
	(Object.hasOwn(rowsOfRoot, name) ? asRoot : posix)(`a default place: ${name} is ${refused === undefined ? 'used' : 'refused'}`, async t => {
		const setup = setUp(t);
		for (const place of [setup.temporary, setup.cache]) {
			for (const folder of new Set([place.base, place.outermost, place.own])) {
				makeFolder(folder);
			}

			prepare(place);
		}

		const before = tree(setup.root);
		const outcomes = await tryOut(setup, fileMode === undefined ? {} : {fileMode});
		t.is(outcomes.length, 4);
		for (const {store, setting, code, message} of outcomes) {
			const isRefused = refused !== undefined && store === (only ?? store);
			t.is(code, isRefused ? 'ERR_STORE_PLACE' : undefined, `${store} ${setting}: ${message}`);
			if (isRefused) {
				t.regex(message, refused(setting === 'useTemp' ? setup.temporary : setup.cache));
			}
		}

		if (refused !== undefined && only === undefined) {
			t.deepEqual(tree(setup.root), before);
		}
	});
}

posix('a default place is private to its owner whatever the umask, even for recordings', async t => {
	for (const [umask, isRecording] of [[0o000, false], [0o022, false], [0o777, false], [0o000, true], [0o022, true], [0o077, true]] as const) {
		const setup = setUp(t);
		// Twice, since the created folders must be accepted the second time.
		for (let round = 0; round < 2; round++) {
			const outcomes = await tryOut(setup, {umask, isRecording});
			t.deepEqual(outcomes.map(({code}) => code), [undefined, undefined, undefined, undefined], outcomes.map(({message}) => message).join('\n'));
		}

		const paths = readdirSync(setup.root, {recursive: true}) as string[];
		t.true(paths.length > 10);
		for (const path of paths) {
			const stats = lstatSync(join(setup.root, path));
			const expected = isRecording ? 0o666 & ~umask : 0o600;
			t.is((stats.mode & 0o777).toString(8), (stats.isFile() ? expected : 0o700).toString(8), `${path} with ${umask.toString(8)}`);
		}
	}
});

(process.platform === 'linux' ? asRoot : test.serial.skip)('a folder that replaces the store\'s own folder while it is in use is refused', async t => {
	const setup = setUp(t);
	const {own} = setup.cache;
	const open = (): FilesystemStore => createStore('filesystem', {path: 'files', useCacheDir: true});
	const [store, unused] = inCacheFolder(setup, () => [open(), open()] as const);
	await store.set('key', Buffer.from('one'), {expires: undefined});
	t.truthy(await store.get('key'));
	const plant = (): void => {
		mkdirSync(own);
		mkdirSync(join(own, 'files'), 0o777);
		chmodSync(own, 0o777);
		chownSync(own, otherUser, 0);
	};

	renameSync(own, `${own}-gone`);
	plant();
	for (const either of [store, unused]) {
		t.throws(() => either.get('key'), {code: 'ERR_STORE_PLACE', message: foreign(own)});
		t.throws(() => either.set('key', Buffer.from('one'), {expires: undefined}), {code: 'ERR_STORE_PLACE'});
	}

	rmSync(own, {recursive: true});
	for (const either of [store, unused]) {
		await either.set('key', Buffer.from('two'), {expires: undefined});
		t.truthy(await either.get('key'));
	}
});

posix('an absolute path is used, whoever can write to it', async t => {
	const {root} = setUp(t);
	chmodSync(root, 0o777);
	for (const store of [createStore('sqlite', {path: join(root, 'cache.db')}), createStore('filesystem', {path: join(root, 'files')})]) {
		await store.set('key', Buffer.from('one'), {expires: undefined});
		t.truthy(await store.get('key'));
		await store.close();
	}
});

(process.platform === 'linux' ? test.serial : test.serial.skip)('a request succeeds if the place is refused, and an event says why', async t => {
	const setup = setUp(t);
	const {own} = setup.cache;
	makeFolder(own, 0o777);
	const stores = inCacheFolder(setup, () => [createStore('sqlite', {useCacheDir: true}), createStore('filesystem', {useCacheDir: true})]);
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('cache-control', 'max-age=100');
		response.end('one');
	});
	for (const store of stores) {
		const client = got.extend(cacheHooks({store, autoclose: true}));
		const codes = new Set<unknown>();
		getCache(client).on('storeError', ({error}) => {
			codes.add((error as {code?: unknown}).code);
		});
		t.is(await client(origin.url).text(), 'one');
		await getCache(client).close();
		t.is([...codes][0], 'ERR_STORE_PLACE');
		t.deepEqual(readdirSync(own), []);
	}
});

import {Buffer} from 'node:buffer';
import {inspect} from 'node:util';
import type {ExecutionContext, TestFn} from 'ava';
import {OtherProcess} from '../helpers/other-process.ts';
import type {Store, StoredValue, StoreQuery} from '../../source/stores/types.ts';

type Elsewhere = {readonly module: string; readonly args: readonly string[]};

/**
Somewhere to keep entries: a folder, a Map. Stores opened in one place share it, apart by namespace.
*/
export type Place = {
	open(namespace: string): Store;

	/**
	How another process opens the same: a module that exports `open(namespace, ...args)`. With it, what two processes see of each other is tested too.
	*/
	readonly elsewhere?: Elsewhere | (() => Promise<Elsewhere>);
	remove?(): void | Promise<void>;
};

export type ContractOptions = {
	makePlace(clock: {now: () => number}): Place;

	/** Whether entries expire by the clock that is given, and not by one of the store's own. */
	readonly hasOurClock: boolean;

	/** `false` where the server cannot replace what has expired in one step: then not one alone of many may. Default: `true`. */
	readonly replacesAtOnce?: boolean;

	/** Whether entries outlive the store that wrote them. */
	readonly persists: boolean;

	/** Which of the methods that a store may lack this one has: without it, those of the store are tested, and none that is missing is missed. */
	readonly offers?: ReadonlyArray<'add' | 'find' | 'deleteFound' | 'count' | 'size'>;

	/** The tests that it is known to fail. */
	readonly limits?: readonly KnownLimit[];
};

/** A test that is known to fail, so that it is noticed when it does no longer. */
export type KnownLimit = {
	/** The title of the test, without the store's name. */
	readonly test: string;
	readonly because: string;

	/** The message of the failure. */
	readonly shows: RegExp;
};

/**
Runs the body of a test, or shows its known limit.
*/
export async function runWithLimits(t: ExecutionContext, limit: KnownLimit | undefined, body: (t: ExecutionContext) => Promise<void>): Promise<void> {
	if (limit === undefined) {
		await body(t);
		return;
	}

	t.log(`Known limit: ${limit.because}`);
	const attempt = await t.try(body);
	attempt.discard();
	t.false(attempt.passed, `It passes: the limit "${limit.because}" is gone`);
	t.regex(attempt.errors.map(error => inspect(error)).join('\n'), limit.shows);
}

const start = Date.UTC(2030, 0, 1);
const kept = {expires: undefined} as const;
const keys = [
	'a',
	':',
	'::',
	'%',
	' ',
	'a b',
	'a:b:c',
	'n1:a',
	'n1::a',
	'%3A%25',
	'100 % of: it',
	'__proto__',
	'constructor',
	'é',
	'e\u{301}',
	'日本語',
	'🦄:%',
	'\'";--',
	'../../a',
	'*?[a]',
	'x'.repeat(1000),
	'🦄'.repeat(500),
	'ключ: %20 '.repeat(100),
];

/**
What every `Store` must do, as AVA tests.
*/
export function testStore(test: TestFn, name: string, options: ContractOptions): void {
	const check = (title: string, body: (t: ExecutionContext, place: Place, clock: {time: number}) => Promise<void>): void => {
		const limit = options.limits?.find(known => known.test === title);
		test(`${name}: ${title}`, async t => {
			const clock = {time: start};
			const place = options.makePlace({now: () => clock.time});
			t.teardown(async () => place.remove?.());
			await runWithLimits(t, limit, async attempt => body(attempt, place, clock));
		});
	};

	const isOffered = (store: Store, method: 'find' | 'deleteFound' | 'count'): boolean => options.offers?.includes(method) ?? (store[method] !== undefined);

	check('what was set is what one gets, and nothing else is there', async (t, place) => {
		const store = place.open('n1');
		await store.set('key', valueFor(store, 'one'), kept);
		t.is(textOf(await store.get('key')), 'one');
		t.is(await store.get('other'), undefined);
		await store.close();
	});

	check('a second value replaces the first', async (t, place) => {
		const store = place.open('n1');
		await store.set('key', valueFor(store, 'a long first value'), kept);
		await store.set('key', valueFor(store, 'two'), kept);
		t.is(textOf(await store.get('key')), 'two');
		t.deepEqual(await listed(store), ['key']);
		await store.close();
	});

	check('deleting says whether there was one', async (t, place) => {
		const store = place.open('n1');
		await store.set('key', valueFor(store, 'one'), kept);
		t.true(await store.delete('key'));
		t.is(await store.get('key'), undefined);
		t.false(await store.delete('key'));
		await store.close();
	});

	check('many keys are deleted at once, absent and repeated ones and none included', async (t, place) => {
		const store = place.open('n1');
		const many = numbered(1200);
		await fill(store, many);
		await store.deleteMany([]);
		await store.deleteMany([...many.slice(0, 1100), 'absent', many[0]!]);
		t.deepEqual(await listed(store), many.slice(1100).toSorted());
		await store.close();
	});

	check('keys of any characters stay apart', async (t, place) => {
		const store = place.open('n1');
		for (const key of keys) {
			await store.set(key, valueFor(store, `value of ${key}`), kept);
		}

		for (const key of keys) {
			t.is(textOf(await store.get(key)), `value of ${key}`);
		}

		t.deepEqual(await listed(store), keys.toSorted());
		await store.deleteMany(keys.slice(0, 10));
		t.deepEqual(await listed(store), keys.slice(10).toSorted());
		for (const key of keys.slice(10)) {
			t.true(await store.delete(key), key);
		}

		t.deepEqual(await listed(store), []);
		await store.close();
	});

	check('empty values, values that look like markup and values of 20 MB come back whole', async (t, place) => {
		const store = place.open('n1');
		const large = 'x0123456789abcdé'.repeat(20 * 65_536);
		for (const text of ['', ':base64:YQ==', ':a', '{"value":1}', 'null', '\0\n\u{2028}', large]) {
			await store.set('key', valueFor(store, text), kept);
			t.true(textOf(await store.get('key')) === text);
		}

		await store.close();
	});

	check('every byte value comes back', async (t, place) => {
		const store = place.open('n1');
		const bytes = Buffer.from(Array.from({length: 512}, (_, index) => index % 256)).subarray(128, 448);
		if (store.valueType === 'documents') {
			await store.set('key', {bytes, none: new Uint8Array(0)}, kept);
			const {bytes: found, none} = await store.get('key') as Record<string, Uint8Array>;
			t.deepEqual([Buffer.from(found!), none!.byteLength], [bytes, 0]);
		} else {
			await store.set('key', store.valueType === 'text' ? bytes.toString('latin1') : bytes, kept);
			const value = await store.get('key') as string | Uint8Array;
			t.deepEqual(Buffer.from(value as string, 'latin1'), bytes);
		}

		await store.close();
	});

	check('iterating lists every entry once, also many', async (t, place) => {
		const store = place.open('n1');
		const many = numbered(1000);
		await fill(store, many);
		for await (const [key, value] of store.iterate()) {
			t.true(textOf(value) === key);
		}

		t.deepEqual(await listed(store), many);
		await store.close();
	});

	check('iterating while deleting what was met skips nothing and meets nothing twice', async (t, place) => {
		const store = place.open('n1');
		const many = numbered(700);
		await fill(store, many);
		const met = [];
		for await (const [key] of store.iterate()) {
			met.push(key);
			await store.delete(key);
		}

		t.deepEqual(met.toSorted(), many);
		t.deepEqual(await listed(store), []);
		await store.close();
	});

	check('iterating while overwriting meets nothing twice, and may be left early', async (t, place) => {
		const store = place.open('n1');
		const many = numbered(300);
		await fill(store, many);
		const met = [];
		for await (const [key] of store.iterate()) {
			met.push(key);
			await store.set(key, valueFor(store, 'new'), kept);
		}

		t.deepEqual(met.toSorted(), many);
		const entries = store.iterate()[Symbol.asyncIterator]();
		const {value} = await entries.next() as {value: readonly [string, StoredValue]};
		t.true(many.includes(value[0]));
		await entries.return?.();

		t.is(textOf(await store.get(many[0]!)), 'new');
		await store.close();
	});

	check('clearing leaves other namespaces alone', async (t, place) => {
		const names = ['n1', 'n12', 'c.d', 'cXd', 'n1.'];
		const stores = names.map(namespace => place.open(namespace));
		for (const [index, store] of stores.entries()) {
			await store.set('key', valueFor(store, names[index]!), kept);
		}

		await stores[0]!.clear();
		await stores[2]!.clear();
		const left = await Promise.all(stores.map(async store => store.get('key')));
		t.deepEqual(left.map(value => textOf(value)), [undefined, 'n12', undefined, 'cXd', 'n1.']);
		const lists = await Promise.all(stores.map(async store => listed(store)));
		t.deepEqual(lists, [[], ['key'], [], ['key'], ['key']]);
		for (const store of stores) {
			await store.close();
		}
	});

	check('100 writers to one key leave one whole value', async (t, place) => {
		const store = place.open('n1');
		const texts = Array.from({length: 100}, (_, index) => String(index).repeat(1000));
		await Promise.all(texts.map(async text => store.set('key', valueFor(store, text), kept)));
		const left = textOf(await store.get('key'));
		t.true(texts.includes(left ?? 'none'));
		t.deepEqual(await listed(store), ['key']);
		await store.close();
	});

	check('what is set with a time that has passed is not there, nor is what it replaced', async (t, place) => {
		const store = place.open('n1');
		await store.set('key', valueFor(store, 'one'), kept);
		await store.set('key', valueFor(store, 'two'), {expires: start});
		t.is(await store.get('key'), undefined);
		await store.set('key', valueFor(store, 'three'), {expires: start + 3_600_000.5});
		t.is(textOf(await store.get('key')), 'three');
		await store.close();
	});

	if (options.hasOurClock) {
		check('entries are there until their time has come', async (t, place, clock) => {
			const store = place.open('n1');
			await store.set('brief', valueFor(store, 'one'), {expires: start + 1000});
			await store.set('long', valueFor(store, 'two'), {expires: start + 2000});
			await store.set('kept', valueFor(store, 'three'), kept);
			clock.time += 999;
			t.is(textOf(await store.get('brief')), 'one');
			clock.time += 1;
			t.deepEqual(await listed(store), ['kept', 'long']);
			t.is(await store.get('brief'), undefined);
			t.false(await store.delete('brief'));
			clock.time += 1e12;
			t.deepEqual(await listed(store), ['kept']);
			await store.close();
		});
	}

	check('of 50 that add one key at once exactly one does, and nobody while it lives', async (t, place, clock) => {
		const store = place.open('n1');
		if (store.add === undefined) {
			t.false(options.offers?.includes('add') ?? false);
			return;
		}

		const answers = await Promise.all(numbered(50).map(async text => store.add!('key', valueFor(store, text), {expires: start + 600_000})));
		t.is(answers.filter(Boolean).length, 1);
		t.is(textOf(await store.get('key')), numbered(50)[answers.indexOf(true)]);
		t.false(await store.add('key', valueFor(store, 'late'), kept));
		if (options.hasOurClock) {
			clock.time += 600_000;
		}

		if (options.hasOurClock && options.replacesAtOnce !== false) {
			const again = await Promise.all(numbered(50).map(async text => store.add!('key', valueFor(store, text), kept)));
			t.is(again.filter(Boolean).length, 1);
			t.is(textOf(await store.get('key')), numbered(50)[again.indexOf(true)]);
		}

		await store.delete('key');
		t.true(await store.add('key', valueFor(store, 'anew'), kept));
		t.is(textOf(await store.get('key')), 'anew');
		await store.close();
	});

	check('entries are found by their times, in order, and counted', async (t, place, clock) => {
		const store = place.open('n1');
		await fillIndexed(store);
		clock.time += options.hasOurClock ? 500 : 0;
		t.is(store.find !== undefined, isOffered(store, 'find'));
		if (store.find !== undefined) {
			for (const [query, found] of searches) {
				const keysFound = await Array.fromAsync(store.find(query));
				t.deepEqual(query.orderBy === undefined ? keysFound.toSorted() : keysFound, [...found], JSON.stringify(query));
			}
		}

		t.is(store.count !== undefined, isOffered(store, 'count'));
		if (store.count !== undefined) {
			t.is(await store.count(), 4);
		}

		if (store.size !== undefined) {
			t.true(await store.size() > 1000);
		}

		await store.close();
	});

	check('what is found is met once, also while it is set anew and deleted', async (t, place) => {
		const store = place.open('n1');
		if (store.find === undefined) {
			t.false(options.offers?.includes('find') ?? false);
			return;
		}

		const many = numbered(270);
		for (const [index, key] of many.entries()) {
			await store.set(key, valueFor(store, key), {expires: undefined, indexed: {createdAt: start - index, freshUntil: start}});
		}

		const met = [];
		for await (const key of store.find({orderBy: 'createdAt'})) {
			met.push(key);
			await store.set(key, valueFor(store, 'new'), {expires: undefined, indexed: {createdAt: start + met.length, freshUntil: start}});
			await store.delete(many[0]!);
		}

		t.deepEqual(met, many.slice(1).toReversed());
		await store.close();
	});

	check('what is found is deleted, and nothing else', async (t, place) => {
		const store = place.open('n1');
		t.is(store.deleteFound !== undefined, isOffered(store, 'deleteFound'));
		if (store.deleteFound !== undefined) {
			await fillIndexed(store);
			t.is(await store.deleteFound({staleAt: start + 20, createdBefore: start + 2}), 1);
			t.deepEqual(await listed(store), ['a', 'b', 'd', 'none']);
			t.is(await store.deleteFound({staleAt: start + 30}), 2);
			t.is(await store.deleteFound({staleAt: start + 30}), 0);
			t.deepEqual(await listed(store), ['d', 'none']);
			t.is(await store.deleteFound({}), 1);
			t.deepEqual(await listed(store), ['none']);
		}

		await store.close();
	});

	testProcesses(check, options);

	if (options.persists) {
		check('entries are there after closing and opening again', async (t, place) => {
			const first = place.open('n1');
			await fill(first, ['a', 'b']);
			await first.close();
			const second = place.open('n1');
			t.is(textOf(await second.get('a')), 'a');
			t.deepEqual(await listed(second), ['a', 'b']);
			await second.close();
		});
	}
}

type Check = (title: string, body: (t: ExecutionContext, place: Place, clock: {time: number}) => Promise<void>) => void;

function testProcesses(check: Check, {makePlace, offers}: ContractOptions): void {
	const probe = makePlace({now: () => start});
	void probe.remove?.();
	if (probe.elsewhere === undefined) {
		return;
	}

	check('a second process reads what this one writes, and this one what that one writes and deletes', async (t, place) => {
		await using other = await startElsewhere(place);
		const store = place.open('n1');
		await fill(store, ['ours', 'shared']);
		t.deepEqual(await other.run(['get', 'ours'], ['delete', 'shared'], ['set', 'theirs']), ['ours', true, null]);
		t.is(await store.get('shared'), undefined);
		t.is(textOf(await store.get('theirs')), 'theirs');
		t.deepEqual(await listed(store), ['ours', 'theirs']);
		await store.delete('theirs');
		t.deepEqual(await other.run(['get', 'theirs'], ['get', 'ours']), [null, 'ours']);
		await store.close();
	});

	check('of two processes that add the same 200 keys at once, each key is added by one', async (t, place) => {
		await using other = await startElsewhere(place);
		const store = place.open('n1');
		t.is(store.add !== undefined, offers?.includes('add') ?? (store.add !== undefined));
		if (store.add !== undefined) {
			const many = numbered(200);
			const theirs = other.run(...many.map(key => ['add', key] as const));
			const ours = [];
			for (const key of many) {
				ours.push(await store.add(key, valueFor(store, key), kept));
			}

			const both = await theirs;
			t.deepEqual(ours.map((isAdded, index) => isAdded !== both[index]), many.map(() => true));
			t.deepEqual(await listed(store), many);
		}

		await store.close();
	});
}

/** Four entries, one that has expired before it is looked for, and one value that is no entry. */
async function fillIndexed(store: Store): Promise<void> {
	for (const [key, createdAt, freshUntil, size] of [['c', 1, 10, 900], ['a', 2, 20, 300], ['b', 3, 30, 100], ['d', 4, undefined, 500]] as const) {
		await store.set(key, valueFor(store, key.repeat(size)), {
			// A store with its own clock continues while a busy machine is delayed.
			expires: start + 600_000, size, indexed: {createdAt: start + createdAt, freshUntil: freshUntil === undefined ? undefined : start + freshUntil},
		});
	}

	await store.set('gone', valueFor(store, 'gone'), {expires: start, size: 4, indexed: {createdAt: start, freshUntil: start}});
	await store.set('none', valueFor(store, 'none'), {...kept, size: 4});
}

const searches: ReadonlyArray<readonly [StoreQuery, readonly string[]]> = [
	[{}, ['a', 'b', 'c', 'd']],
	[{staleAt: start + 20}, ['a', 'c']],
	[{staleAt: start + 19.5}, ['c']],
	[{staleAt: start + 30, createdBefore: start + 3}, ['a', 'c']],
	[{createdBefore: start + 1}, []],
	[{createdBefore: start + 4, orderBy: 'freshUntil', descending: true}, ['b', 'a', 'c']],
	[{orderBy: 'createdAt'}, ['c', 'a', 'b', 'd']],
	[{orderBy: 'createdAt', descending: true}, ['d', 'b', 'a', 'c']],
	[{orderBy: 'freshUntil'}, ['c', 'a', 'b', 'd']],
	[{orderBy: 'freshUntil', descending: true}, ['d', 'b', 'a', 'c']],
	[{orderBy: 'size'}, ['b', 'a', 'd', 'c']],
	[{orderBy: 'size', descending: true}, ['c', 'd', 'a', 'b']],
	[{orderBy: 'key'}, ['a', 'b', 'c', 'd']],
	[{orderBy: 'key', descending: true, staleAt: start + 30}, ['c', 'b', 'a']],
];

async function startElsewhere({elsewhere}: Place): Promise<OtherProcess> {
	const where = typeof elsewhere === 'function' ? await elsewhere() : elsewhere!;
	return OtherProcess.start({...where, namespace: 'n1'});
}

export function valueFor(store: Store, text: string): StoredValue {
	if (store.valueType === 'text') {
		return text;
	}

	return store.valueType === 'bytes' ? Buffer.from(text) : {text};
}

export function textOf(value: StoredValue | undefined): string | undefined {
	if (value === undefined || typeof value === 'string') {
		return value;
	}

	return value instanceof Uint8Array ? Buffer.from(value).toString() : (value as {text: string}).text;
}

export async function listed(store: Store): Promise<string[]> {
	const found = [];
	for await (const [key] of store.iterate()) {
		found.push(key);
	}

	return found.toSorted();
}

async function fill(store: Store, many: readonly string[]): Promise<void> {
	for (const key of many) {
		await store.set(key, valueFor(store, key), kept);
	}
}

function numbered(count: number): string[] {
	return Array.from({length: count}, (_, index) => `key ${String(index).padStart(5, '0')}`);
}

import {Buffer} from 'node:buffer';
import type {ExecutionContext, TestFn} from 'ava';
import type {Store, StoredValue} from '../../source/stores/types.ts';

/**
Somewhere to keep entries: a folder, a Map. Stores opened in one place share it, apart by namespace.
*/
export type Place = {
	open(namespace: string): Store;
	remove?(): void | Promise<void>;
};

export type ContractOptions = {
	makePlace(clock: {now: () => number}): Place;

	/** Whether entries expire by the clock that is given, and not by one of the store's own. */
	readonly hasOurClock: boolean;

	/** Whether entries outlive the store that wrote them. */
	readonly persists: boolean;
};

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
		test(`${name}: ${title}`, async t => {
			const clock = {time: start};
			const place = options.makePlace({now: () => clock.time});
			t.teardown(async () => place.remove?.());
			await body(t, place, clock);
		});
	};

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
		if (store.holds === 'documents') {
			await store.set('key', {bytes, none: new Uint8Array(0)}, kept);
			const {bytes: found, none} = await store.get('key') as Record<string, Uint8Array>;
			t.deepEqual([Buffer.from(found!), none!.byteLength], [bytes, 0]);
		} else {
			await store.set('key', store.holds === 'text' ? bytes.toString('latin1') : bytes, kept);
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

export function valueFor(store: Store, text: string): StoredValue {
	if (store.holds === 'text') {
		return text;
	}

	return store.holds === 'bytes' ? Buffer.from(text) : {text};
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

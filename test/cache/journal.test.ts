import {setImmediate as turn} from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import test from 'ava';
import type {Invalidation, Subject} from '../../source/cache/journal-records.ts';
import {Journal, type Position} from '../../source/cache/journal.ts';
import {LocalJournal, localJournalOf} from '../../source/cache/local-journal.ts';
import {storedResponse, type StoredResponse} from '../../source/entry/stored-response.ts';
import type {Store} from '../../source/stores/types.ts';
import {SharedStore} from './shared-store.ts';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

const headKey = 'got-cache:1:journal';
const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;
const start = 1_700_000_000_000;

/** The time of a test, which each process reads by its own clock. */
class Time {
	now = start;
}

type ProcessOptions = {
	readonly time?: Time;

	/** The milliseconds by which its clock is ahead. */
	readonly skew?: number;
	readonly local?: LocalJournal;
	readonly isShared?: boolean;
};

/** A process that shares a store. */
class Process {
	readonly journal: Journal;
	readonly faults: unknown[] = [];
	readonly #time: Time;

	constructor(store: Store, {time = new Time(), skew = 0, local = new LocalJournal(), isShared = true}: ProcessOptions = {}) {
		this.#time = time;
		this.journal = new Journal({
			local,
			isShared,
			store,
			now: () => time.now + skew,
			onFault: error => {
				this.faults.push(error);
			},
		});
	}

	/** Looks up the entry, and begins a request. */
	async ask(): Promise<Position> {
		await this.journal.head();
		await this.journal.settled();
		return this.journal.begin();
	}

	/** Returns what is stored when the response has come. */
	async receive(position: Position, own: Partial<Subject> = {}): Promise<StoredResponse | undefined> {
		const at = await this.journal.verify(subject(own), position);
		this.journal.end(position);
		return at === undefined ? undefined : this.entry(at, own.tags);
	}

	async fetch(own?: Partial<Subject>): Promise<StoredResponse | undefined> {
		return this.receive(await this.ask(), own);
	}

	entry(position: number, tags: readonly string[] = []): StoredResponse {
		return {
			...storedResponse({
				method: 'GET',
				url: 'https://example.com/',
				statusCode: 200,
				statusMessage: 'OK',
				rawHeaders: [],
				createdAt: this.#time.now,
				initialAge: 0,
				expires: undefined,
				retainUntil: undefined,
				decidedBy: 'origin',
				generation: 'one',
			}, new Uint8Array(0)),
			position,
			...(tags.length > 0 && {tags}),
		};
	}

	/** Whether an entry may be used, must be validated first, or must not be used. */
	async find(stored: StoredResponse, resource = 'resource'): Promise<'used' | 'expired' | 'none'> {
		const judged = await this.journal.apply(stored, {resource: () => resource}, await this.journal.head());
		if (judged === undefined) {
			return 'none';
		}

		return judged.expires === undefined ? 'used' : 'expired';
	}

	async note(...invalidations: Invalidation[]): Promise<number | undefined> {
		return this.journal.invalidate(invalidations);
	}
}

function subject(own: Partial<Subject> = {}): Subject {
	return {
		keys: ['key'], resource: 'resource', url: 'https://example.com/', tags: [], ...own,
	};
}

const resource: Invalidation = {kind: 'resource', resource: 'resource'};
const deletion: Invalidation = {kind: 'tag', tag: 'tag', effect: 'deleted'};
const expiration: Invalidation = {kind: 'tag', tag: 'tag', effect: 'expired'};
const ofKey: Invalidation = {kind: 'key', key: 'key'};
const matching: Invalidation = {kind: 'matching', concerns: ({url}) => url.includes('example')};
const tagged = {tags: ['tag']};

function headOf({values}: SharedStore): number {
	return Number((values.get(headKey) as string).split(' ', 1)[0]);
}

/** A store whose calls wait until they are released. */
function heldStore(): {readonly store: SharedStore; readonly hold: () => void; readonly release: () => void} {
	const store = new SharedStore();
	let gate = Promise.resolve();
	let release = (): void => undefined;
	store.before = async () => gate;
	return {
		store,
		hold() {
			const {promise, resolve} = Promise.withResolvers<void>();
			gate = promise;
			release = resolve;
		},
		release() {
			gate = Promise.resolve();
			release();
		},
	};
}

// Which invalidations concern which responses.

type Case = readonly [title: string, invalidation: Invalidation, own: Partial<Subject>, isConcernedHere: boolean, isConcernedElsewhere: boolean, found: 'used' | 'expired' | 'none'];

// A lookup checks resources and tags only: other invalidations delete entries by their keys.
const cases: readonly Case[] = [
	['its resource', resource, {}, true, true, 'none'],
	['another resource', {kind: 'resource', resource: 'other'}, {}, false, false, 'used'],
	['one of its tags, which is deleted', deletion, tagged, true, true, 'none'],
	['one of its tags, which is expired', expiration, tagged, true, true, 'expired'],
	['a tag that it does not have', deletion, {tags: ['other']}, false, false, 'used'],
	['a tag, for a response without tags', deletion, {}, false, false, 'used'],
	['its key', ofKey, {}, true, true, 'used'],
	['the key of its variant', {kind: 'key', key: 'variant'}, {keys: ['key', 'variant']}, true, true, 'used'],
	['another key', {kind: 'key', key: 'other'}, {}, false, false, 'used'],
	['a key, for a response without a key yet', ofKey, {keys: []}, false, false, 'used'],
	['a condition that holds for it', matching, {}, true, true, 'used'],
	['a condition that does not hold for it', matching, {url: 'https://other.test/'}, false, true, 'used'],
];

for (const [title, invalidation, own, isConcernedHere, isConcernedElsewhere, found] of cases) {
	test(`an invalidation of ${title} affects a response in all processes as specified`, async t => {
		const store = new SharedStore();
		const [here, elsewhere] = [new Process(store), new Process(store)];
		const [before, other] = [await here.ask(), await elsewhere.ask()];
		const entry = elsewhere.entry(before.head!, own.tags);
		await here.note(invalidation);
		t.is(here.journal.concerns(subject(own), before), isConcernedHere);
		t.is(await here.receive(before, own) === undefined, isConcernedElsewhere);
		t.is(await elsewhere.journal.hasChangedElsewhere(subject(own), other), isConcernedElsewhere);
		t.is(await elsewhere.receive(other, own) === undefined, isConcernedElsewhere);
		t.deepEqual([await here.find(entry), await elsewhere.find(entry), await new Process(store).find(entry)], [found, found, found]);
		// A response that was requested after it is used by all processes.
		const after = await elsewhere.fetch(own);
		t.deepEqual([await here.find(after!), await elsewhere.find(after!)], ['used', 'used']);
	});

	test(`on a store of one process, an invalidation of ${title} affects a response as specified`, async t => {
		const store = new SharedStore();
		const process = new Process(store, {isShared: false});
		const before = await process.ask();
		const entry = process.entry(before.head!, own.tags);
		await process.note(invalidation);
		t.is(process.journal.concerns(subject(own), before), isConcernedHere);
		t.false(await process.journal.hasChangedElsewhere(subject(own), before));
		t.is(await process.receive(before, own) === undefined, isConcernedHere);
		t.is(await process.find(entry), found);
		t.is(await process.find((await process.fetch(own))!), 'used');
		t.deepEqual(store.takeCalls(), {reads: [], writes: []});
	});
}

// Calls of the store.

test('a lookup reads only the head, and the other records once after the head has moved', async t => {
	const store = new SharedStore();
	const [one, other] = [new Process(store), new Process(store)];
	const entry = (await one.fetch(tagged))!;
	await one.find(entry);
	store.takeCalls();
	t.is(await one.find(entry), 'used');
	t.deepEqual(store.takeCalls(), {reads: [headKey], writes: []});
	await other.note({kind: 'resource', resource: 'unrelated'});
	store.takeCalls();
	t.is(await one.find(entry), 'used');
	const {reads, writes} = store.takeCalls();
	t.deepEqual(reads.map(key => key.split(':').slice(2, -1).join(':')), ['', 'resource', 'tag:deleted', 'tag:expired']);
	t.deepEqual(writes, []);
	t.is(await one.find(entry), 'used');
	t.deepEqual(store.takeCalls(), {reads: [headKey], writes: []});
});

test('an entry without tags that unsafe methods do not invalidate needs no other records', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	await process.note(resource);
	store.takeCalls();
	const entry = process.entry(0);
	t.is(await process.journal.apply(entry, {resource: undefined}, await process.journal.head()), entry);
	t.deepEqual(store.takeCalls(), {reads: [headKey], writes: []});
});

test('storing a response reads only the head where nothing was invalidated', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	await process.note(resource);
	const position = await process.ask();
	store.takeCalls();
	t.truthy(await process.receive(position, tagged));
	t.deepEqual(store.takeCalls(), {reads: [headKey], writes: []});
});

test('an invalidation writes its record before the head', async t => {
	const store = new SharedStore();
	await new Process(store).note(resource, resource, deletion);
	const {reads, writes} = store.takeCalls();
	t.deepEqual(reads, [headKey]);
	t.is(writes.length, 3);
	t.is(writes.at(-1), headKey);
	t.is(await new Process(store).note(), undefined);
	t.deepEqual(store.takeCalls(), {reads: [], writes: []});
});

const retentions: ReadonlyArray<readonly [title: string, invalidation: Invalidation, milliseconds: number | undefined]> = [
	['deleted tag', deletion, undefined],
	['expired tag', expiration, undefined],
	['resource', resource, 30 * day],
	['key', ofKey, hour],
	['condition', matching, hour],
];

for (const [title, invalidation, milliseconds] of retentions) {
	test(`the record of a ${title} is retained ${milliseconds === undefined ? 'without limit' : `for ${milliseconds / hour} hours`}, and the head without limit`, async t => {
		const store = new SharedStore();
		await new Process(store).note(invalidation);
		const [[, expires]] = [...store.expirations] as [[string, number | undefined]];
		t.is(expires, milliseconds === undefined ? undefined : start + milliseconds);
		t.is(store.expirations.get(headKey), undefined);
	});
}

test('an entry that is older than the retention of resource records is validated before it is used', async t => {
	const store = new SharedStore();
	const time = new Time();
	const process = new Process(store, {time});
	const entry = (await process.fetch())!;
	time.now += 31 * day;
	t.is(await process.find(entry), 'used', 'nothing was invalidated');
	await process.note({kind: 'resource', resource: 'other'});
	t.is(await process.find(entry), 'expired');
	t.is(await process.journal.apply(entry, {resource: undefined}, await process.journal.head()), entry);
});

test('a response that took longer than the retention of key records is stored only where nothing was invalidated', async t => {
	const store = new SharedStore();
	const time = new Time();
	const [one, other] = [new Process(store, {time}), new Process(store, {time})];
	const positions = [await one.ask(), await one.ask()];
	time.now += hour + 1;
	t.truthy(await one.receive(positions[0]!));
	await other.note({kind: 'key', key: 'another'});
	t.is(await one.receive(positions[1]!), undefined);
});

test('an invalidation of very many keys is published as an invalidation of everything', async t => {
	const store = new SharedStore();
	const [one, other] = [new Process(store), new Process(store)];
	const positions = [await one.ask(), await one.ask(), await other.ask()];
	await one.journal.invalidate(Array.from({length: 300_000}, (_, index) => ({kind: 'key', key: String(index)})));
	t.true(store.takeCalls().writes.length < 10);
	t.is(await other.receive(positions[2]!), undefined);
	// In this process, too, more than are remembered count as an invalidation of everything.
	t.is(await one.receive(positions[0]!, {keys: ['7']}), undefined);
	t.is(await one.receive(positions[1]!), undefined);
});

// Several processes, each with its own clock.

for (const skew of [0, 1, -1, hour, -hour]) {
	test(`positions grow across processes whose clocks are ${skew} ms apart`, async t => {
		const store = new SharedStore();
		const time = new Time();
		const [one, other] = [new Process(store, {time}), new Process(store, {time, skew})];
		let last = 0;
		for (const process of [one, other, other, one, one, other, new Process(store, {time}), new Process(store, {time, skew: -skew})]) {
			const position = await process.note(resource);
			t.true(position! > last);
			t.is(position, headOf(store));
			last = position!;
			time.now += last % 2;
		}
	});

	test(`an invalidation concerns only responses that were requested before it, with clocks that are ${skew} ms apart`, async t => {
		for (const invalidation of [resource, deletion, expiration, ofKey, matching]) {
			const store = new SharedStore();
			const time = new Time();
			const [one, other] = [new Process(store, {time}), new Process(store, {time, skew})];
			// The other process may have noted an invalidation before, which the first one does not know.
			await other.note({kind: 'resource', resource: 'unrelated'});
			const old = await one.fetch(tagged);
			const before = await one.ask();
			time.now += 10;
			await other.note(invalidation);
			t.is(await one.receive(before, tagged), undefined);
			const after = (await one.fetch(tagged))!;
			const found = await Promise.all([one, other, new Process(store, {time})].flatMap(process => [process.find(old!), process.find(after)]));
			const isOld = new Map<Invalidation, string>([[resource, 'none'], [deletion, 'none'], [expiration, 'expired']]).get(invalidation) ?? 'used';
			t.deepEqual(found as string[], [isOld, 'used', isOld, 'used', isOld, 'used']);
		}
	});

	test(`an invalidation of another process while this one is publishing is not lost, with clocks that are ${skew} ms apart`, async t => {
		const {store, hold, release} = heldStore();
		const time = new Time();
		const [one, other] = [new Process(store, {time, skew}), new Process(store, {time})];
		const inner = await one.ask();
		hold();
		const noting = one.note({kind: 'resource', resource: 'unrelated'});
		// Requested while no process knows the position of the invalidation.
		const [before, entry] = [one.journal.begin(), one.entry(inner.head!, ['tag'])];
		const others = other.note(resource, deletion);
		release();
		await Promise.all([noting, others]);
		t.is(await one.receive(before, tagged), undefined);
		t.is(await one.receive(inner, tagged), undefined);
		t.is(await one.find(entry), 'none');
	});
}

test('an invalidation that cannot be published moves no position: this process misses none of the others', async t => {
	const store = new SharedStore();
	const time = new Time();
	const [ahead, other] = [new Process(store, {time, skew: hour}), new Process(store, {time})];
	store.before = operation => {
		if (operation === 'set') {
			throw new Error('full');
		}
	};

	await t.throwsAsync(ahead.note({kind: 'resource', resource: 'unrelated'}), {message: 'full'});
	const before = await ahead.ask();
	const entry = (await ahead.fetch())!;
	store.before = () => undefined;
	time.now += second;
	await other.note(resource);
	t.is(await ahead.receive(before), undefined);
	t.deepEqual([await ahead.find(entry), await other.find(entry)], ['none', 'none']);
});

test('a third process sees the invalidations of two processes that find the same head', async t => {
	const store = new SharedStore();
	const processes = [new Process(store), new Process(store)] as const;
	const third = new Process(new SharedStore(store.values));
	const [entry, plain] = [(await third.fetch(tagged))!, (await third.fetch())!];
	const found: string[] = [];
	const haveRead = Promise.withResolvers<void>();
	let reads = 0;
	store.before = async (operation, key) => {
		if (operation === 'set') {
			// Between any two writes the third process reads, and remembers what it has read.
			found.push(await third.find(plain));
			return;
		}

		reads += key === headKey ? 1 : 0;
		if (reads === 2) {
			haveRead.resolve();
		}

		await haveRead.promise;
	};

	const positions = await Promise.all([processes[0].note(resource), processes[1].note(deletion)]);
	t.is(positions[0], positions[1], 'their clocks are equal');
	t.is(found.length, 4);
	t.is(await third.find(plain), 'none');
	t.is(await third.find(entry, 'other'), 'none');
	t.is(await third.find(plain, 'other'), 'used');
});

test('a third process that remembers a head reads again when another head with the same position replaces it', async t => {
	const store = new SharedStore();
	const third = new Process(store);
	const entry = (await third.fetch())!;
	const early = store.values;
	await new Process(store).note({kind: 'resource', resource: 'unrelated'});
	t.is(await third.find(entry), 'used');
	const seen = headOf(store);
	// The other process has read the former head.
	const head = early.get(headKey);
	early.delete(headKey);
	t.is(await new Process(store).note(resource), seen);
	t.not(store.values.get(headKey), head);
	t.is(await third.find(entry), 'none');
});

test('only an invalidation by another process counts as a change elsewhere', async t => {
	const store = new SharedStore();
	const [one, other] = [new Process(store), new Process(store)];
	const before = await one.ask();
	await one.note(resource);
	t.false(await one.journal.hasChangedElsewhere(subject(), before));
	t.true(one.journal.concerns(subject(), before));
	await other.note(resource);
	t.true(await one.journal.hasChangedElsewhere(subject(), before));
});

test('a request between two invalidations is concerned by the second one only', async t => {
	const process = new Process(new SharedStore());
	const before = await process.ask();
	const {last} = process.journal;
	await process.note(resource);
	const later = process.journal.last;
	t.true(later > last);
	t.false(process.journal.concerns(subject(), before, last));
	t.true(process.journal.concerns(subject(), before, later));
});

test('if the store answers in another order, the answer to the latest call counts', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	const answers: Array<() => void> = [];
	store.get = async key => {
		const value = store.values.get(key);
		await new Promise<void>(resolve => {
			answers.push(resolve);
		});
		return value;
	};

	const first = process.journal.head();
	await new Process(new SharedStore(store.values)).note(resource);
	const next = process.journal.head();
	answers[1]!();
	t.is(await next, headOf(store));
	answers[0]!();
	t.is(await first, 0);
	t.is(process.journal.begin().head, headOf(store));
});

// Before the store was read.

test('a response that was requested before the head was ever read is stored unless something was invalidated since', async t => {
	const store = new SharedStore();
	const time = new Time();
	const other = new Process(store, {time});
	await other.note(resource, deletion);
	time.now += hour;
	const one = new Process(store, {time});
	const [first, next] = [one.journal.begin(), new Process(store, {time}).journal.begin()];
	t.is(first.head, undefined);
	time.now += second;
	const entry = await one.receive(first, tagged);
	t.is(await other.find(entry!), 'used');
	await other.note(resource);
	t.is(await new Process(store, {time}).journal.verify(subject(), next), undefined);
});

test('an entry stored before any invalidation has no position', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	const {position, ...entry} = (await process.fetch())!;
	t.is(position, 0);
	t.is(await process.find(entry), 'used');
	await new Process(store).note(resource);
	t.is(await process.find(entry), 'none');
});

// Lost records.

test('if the store has lost its head, later entries are not used, and responses that were requested before are not stored', async t => {
	const store = new SharedStore();
	const time = new Time();
	const one = new Process(store, {time});
	await one.note(deletion);
	const [entry, before] = [(await one.fetch(tagged))!, await one.ask()];
	store.values.clear();
	t.deepEqual([await one.find(entry), await new Process(store, {time}).find(entry)], ['none', 'none']);
	t.is(await one.receive(before, tagged), undefined);
	const after = (await one.fetch(tagged))!;
	t.is(await new Process(store, {time}).find(after), 'used');
	// A process that knew the head continues from there, whatever its clock says.
	time.now -= hour;
	t.true((await one.note(resource))! > before.head!);
	t.is(await one.find(after), 'none');
});

test('this process remembers the record of a tag that the store has evicted, and writes it again when it stores a response', async t => {
	const store = new SharedStore();
	const one = new Process(store);
	const entry = (await one.fetch(tagged))!;
	await one.note(deletion);
	const [record] = store.values.keys();
	const text = store.values.get(record!);
	store.values.delete(record!);
	await new Process(store).note({kind: 'resource', resource: 'other'});
	store.takeCalls();
	t.is(await one.find(entry), 'none');
	t.deepEqual(store.takeCalls().writes, [], 'a lookup writes nothing');
	await one.note({kind: 'resource', resource: 'other'});
	const before = await one.ask();
	await new Process(store).note({kind: 'resource', resource: 'yet another'});
	t.truthy(await one.receive(before, tagged));
	t.is(store.values.get(record!), text);
	t.is(await new Process(store).find(entry), 'none');
});

test('a record that is written again replaces no later one', async t => {
	const store = new SharedStore();
	const [one, other] = [new Process(store), new Process(store)];
	await one.note(deletion);
	const [record] = store.values.keys();
	store.values.delete(record!);
	const before = await one.ask();
	await other.note({kind: 'resource', resource: 'other'});
	store.before = async (operation, key) => {
		// Between the read and the write.
		if (operation !== 'add' || key !== record) {
			return;
		}

		store.before = () => undefined;
		await other.note(deletion);
	};

	await one.receive(before, tagged);
	t.is(Number((store.values.get(record!) as string).split(' ', 1)[0]), headOf(store));
});

// Invalid records.

const rubbish = ['', ' ', 'rubbish', 'NaN', 'Infinity', '-5', '1e400', '1.5', '0x10', '9'.repeat(16), '9'.repeat(400), '5rubbish', 'null', '{"record":"5"}', '\u{0}'];

for (const text of rubbish) {
	test(`the invalid head ${JSON.stringify(text.slice(0, 20))} prevents no valid use, and hides no invalidation`, async t => {
		const store = new SharedStore();
		const [one, other] = [new Process(store), new Process(store)];
		const [entry, old, before] = [(await one.fetch(tagged))!, (await one.fetch(tagged))!, await one.ask()];
		await other.note(deletion);
		const current = (await one.fetch(tagged))!;
		store.values.set(headKey, text);
		t.deepEqual([await one.find(old), await other.find(entry), await new Process(store).find(entry)], ['none', 'none', 'none']);
		t.deepEqual([await one.find(current), await other.find(current), await new Process(store).find(current)], ['used', 'used', 'used']);
		t.is(await one.receive(before, tagged), undefined);
		const during = (await one.fetch({tags: ['other']}))!;
		t.true(Number.isSafeInteger(during.position));
		t.is(await one.find(during), 'used');
		// The next invalidation repairs it.
		await other.note(resource);
		t.true(headOf(store) > current.position!);
		t.deepEqual([await one.find(during), await one.find(current), await new Process(store).find(during)], ['none', 'none', 'none']);
		const after = (await new Process(store).fetch(tagged))!;
		t.is(await one.find(after), 'used');
	});

	test(`the invalid record ${JSON.stringify(text.slice(0, 20))} prevents the use and storage of everything that it may concern`, async t => {
		const store = new SharedStore();
		const process = new Process(store);
		await process.note(resource);
		const [record] = store.values.keys();
		const entry = (await process.fetch())!;
		const before = await process.ask();
		store.values.set(record!, text);
		await new Process(store).note({kind: 'resource', resource: 'other'});
		t.is(await new Process(store).find(entry), 'none');
		t.is(await process.receive(before), undefined);
		t.is(await process.find(entry, 'other resource'), 'used');
		await new Process(store).note(resource);
		t.is(await new Process(store).find((await process.fetch())!), 'used');
	});
}

test('a record that is not text is invalid, too', async t => {
	const store = new SharedStore();
	const objects = Object.assign(store, {valueType: 'objects'}) as unknown as Store;
	const process = new Process(objects);
	await process.note(resource);
	const entry = (await process.fetch())!;
	t.is(await process.find(entry), 'used');
	for (const key of store.values.keys()) {
		store.values.set(key, {another: 'thing'});
	}

	t.is(await new Process(objects).find(entry), 'none');
});

// Faults of the store.

test('an invalidation that cannot be published is reported, holds in this process, and is published once the store accepts it', async t => {
	const store = new SharedStore();
	const time = new Time();
	const [one, other] = [new Process(store, {time}), new Process(store, {time})];
	const [entry, before] = [(await one.fetch(tagged))!, await one.ask()];
	let isBroken = true;
	store.before = operation => {
		if (isBroken && operation === 'set') {
			throw new Error('full');
		}
	};

	await t.throwsAsync(one.note(deletion), {message: 'full'});
	await one.journal.invalidateQuietly([resource]);
	t.deepEqual(one.faults.map(String), ['Error: full']);
	t.deepEqual([await one.find(entry), await one.find({...entry, tags: []}), await one.find({...entry, tags: []}, 'other'), await other.find(entry)], ['none', 'none', 'used', 'used']);
	t.is(await one.receive(before, tagged), undefined);
	t.is(await one.fetch(tagged), undefined, 'nothing is stored that could not be used');
	t.truthy(await one.fetch({resource: 'other'}));
	// Publishing is not tried at each lookup.
	store.takeCalls();
	await one.find(entry);
	t.deepEqual(store.takeCalls().writes, []);
	time.now += 10 * second;
	await one.find(entry);
	await one.journal.settled();
	t.is(one.faults.length, 2);
	isBroken = false;
	time.now += 10 * second;
	await one.journal.head();
	await one.journal.settled();
	t.is(one.faults.length, 2);
	t.deepEqual([await one.find(entry), await other.find(entry), await other.find({...entry, tags: []})], ['none', 'none', 'none']);
	const after = (await one.fetch(tagged))!;
	t.deepEqual([await one.find(after), await other.find(after)], ['used', 'used']);
});

test('the next invalidation publishes those that could not be published', async t => {
	const store = new SharedStore();
	const [one, other] = [new Process(store), new Process(store)];
	const entry = (await one.fetch(tagged))!;
	store.before = () => {
		throw new Error('gone');
	};

	await one.journal.invalidateQuietly([deletion]);
	store.before = () => undefined;
	await one.note({kind: 'resource', resource: 'other'});
	t.is(await other.find(entry), 'none');
	store.takeCalls();
	await one.note({kind: 'resource', resource: 'other'});
	t.is(store.takeCalls().writes.length, 2, 'once');
});

test('a fault in reading the head rejects for the caller', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	const before = await process.ask();
	store.before = () => {
		throw new Error('gone');
	};

	await t.throwsAsync(async () => process.journal.head(), {message: 'gone'});
	await t.throwsAsync(async () => process.journal.verify(subject(), before), {message: 'gone'});
	await t.throwsAsync(async () => process.journal.hasChangedElsewhere(subject(), before), {message: 'gone'});
	await t.throwsAsync(process.note(resource), {message: 'gone'});
	// Invalidations of this process need no store.
	t.is(await process.journal.verify(subject(), before), undefined);
});

test('with a synchronous store, invalidations are published and faults thrown synchronously', t => {
	const values = new Map<string, string>();
	let isBroken = false;
	const store = {
		name: 'sync',
		valueType: 'text',
		get: (key: string) => values.get(key),
		set(key: string, value: string) {
			if (isBroken) {
				throw new Error('full');
			}

			values.set(key, value);
		},
	} as unknown as Store;
	const [one, other] = [new Process(store).journal, new Process(store).journal];
	t.is(one.head(), 0);
	const before = one.begin();
	t.is(typeof other.invalidate([resource]), 'number');
	t.is(one.verify(subject(), before), undefined);
	t.is(one.head(), other.head());
	isBroken = true;
	t.throws(() => one.invalidate([deletion]), {message: 'full'});
	t.is(one.invalidateQuietly([deletion]), undefined);
	isBroken = false;
	t.is(one.invalidate([]), undefined);
	t.is(typeof one.invalidate([ofKey]), 'number');
	t.is(one.settled(), undefined);
});

// Several invalidations at once.

test('invalidations during a publication are published together with the next: a slow store causes no queue', async t => {
	const {store, hold, release} = heldStore();
	const process = new Process(store);
	const entry = (await process.fetch())!;
	store.takeCalls();
	hold();
	const names = Array.from({length: 100}, (_, index) => `resource ${index}`);
	const noted = [process.note(resource), ...names.map(async name => process.note({kind: 'resource', resource: name}))];
	const settled = process.journal.settled();
	release();
	const positions = await Promise.all(noted);
	await settled;
	t.is(store.takeCalls().writes.filter(key => key === headKey).length, 2);
	t.is(new Set(positions).size, 2);
	t.true(positions.at(-1)! > positions[0]!);
	const other = new Process(store);
	for (const name of ['resource', ...names]) {
		t.is(await other.find(entry, name), 'none');
	}
});

test('an invalidation during the publication of the same name is published again', async t => {
	const {store, hold, release} = heldStore();
	const [process, other] = [new Process(store), new Process(store)];
	hold();
	const first = process.note(resource);
	release();
	hold();
	await turn();
	// Requested between the two.
	const between = process.journal.begin();
	const next = process.note(resource);
	release();
	t.true((await next)! > (await first)!);
	t.is(await process.receive(between), undefined);
	t.is(await other.find(other.entry((await first)!)), 'none');
});

test('if one invalidation fails, the next one still succeeds', async t => {
	const {store, hold, release} = heldStore();
	const process = new Process(store);
	hold();
	const first = process.note(resource);
	const next = [process.note(deletion), process.note(ofKey)];
	const settled = process.journal.settled();
	const {before} = store;
	let isFirst = true;
	store.before = async (operation, key) => {
		await before(operation, key);
		if (operation !== 'set' || !isFirst) {
			return;
		}

		isFirst = false;
		throw new Error('full');
	};

	release();
	await t.throwsAsync(first, {message: 'full'});
	await t.notThrowsAsync(Promise.all(next));
	await settled;
	t.is(await new Process(store).find(process.entry(0)), 'none', 'the first one is published, too');
});

test('during a publication, this process uses no entry that it concerns, and all others without waiting', async t => {
	const {store, hold, release} = heldStore();
	const process = new Process(store);
	const entry = (await process.fetch())!;
	const head = await process.journal.head();
	hold();
	const noted = process.note(resource);
	t.is(await process.journal.apply(entry, {resource: () => 'resource'}, head), undefined);
	release();
	await noted;
});

test('clients of one process that share a store share their unpublished invalidations, and publish one after the other', async t => {
	const {store, hold, release} = heldStore();
	const local = new LocalJournal();
	const [one, other] = [new Process(store, {local}), new Process(store, {local})];
	const entry = (await one.fetch(tagged))!;
	const head = await other.journal.head();
	const before = await other.ask();
	hold();
	const noted = [one.note(resource), other.note(deletion)];
	t.is(await other.journal.apply(entry, {resource: () => 'resource'}, head), undefined);
	t.true(other.journal.concerns(subject(), before));
	release();
	const [first, next] = await Promise.all(noted);
	t.true(next! > first!);
	t.is(await other.find(entry), 'none');
});

// Bounds.

test('beyond the invalidations that are remembered for exchanges, the oldest count as an invalidation of everything', async t => {
	for (const isShared of [true, false]) {
		const process = new Process(new SharedStore(), {isShared});
		const [before, early] = [await process.ask(), await process.ask()];
		await process.note(...Array.from({length: 1000}, (_, index): Invalidation => ({kind: 'resource', resource: String(index)})));
		t.false(process.journal.concerns(subject(), before));
		await process.note({kind: 'resource', resource: 'one more'});
		t.true(process.journal.concerns(subject(), before));
		t.is(await process.receive(early), undefined);
		t.truthy(await process.fetch());
	}
});

test('beyond 10,000 invalidated resources of a store of one process, entries from before the oldest are validated first', async t => {
	const process = new Process(new SharedStore(), {isShared: false});
	const old = (await process.fetch())!;
	await process.note({kind: 'resource', resource: 'oldest'});
	const next = (await process.fetch())!;
	for (let index = 0; index < 9999; index++) {
		await process.note({kind: 'resource', resource: String(index)});
	}

	t.deepEqual([await process.find(old), await process.find(old, 'oldest')], ['used', 'none']);
	await process.note({kind: 'resource', resource: 'one more'});
	t.deepEqual([await process.find(old), await process.find(old, 'oldest'), await process.find(next)], ['expired', 'expired', 'used']);
	t.is(await process.journal.apply(old, {resource: undefined}, await process.journal.head()), old);
});

for (const effect of ['deleted', 'expired'] as const) {
	test(`beyond 10,000 ${effect} tags of a store of one process, entries with tags from before the oldest are not used, and others are validated first`, async t => {
		const process = new Process(new SharedStore(), {isShared: false});
		const old = (await process.fetch(tagged))!;
		await process.note({kind: 'tag', tag: 'oldest', effect});
		const next = (await process.fetch(tagged))!;
		for (let index = 0; index < 10_000; index++) {
			await process.note({kind: 'tag', tag: String(index), effect});
		}

		t.deepEqual([await process.find(old), await process.find({...old, tags: []}), await process.find(next)], ['none', 'expired', 'used']);
	});
}

test('while the store fails, 10,000 unpublished names are kept, and this process uses no entries from before the others', async t => {
	const store = new SharedStore();
	const process = new Process(store);
	const [old, plain] = [(await process.fetch(tagged))!, (await process.fetch())!];
	store.before = operation => {
		if (operation === 'set') {
			throw new Error('full');
		}
	};

	const many = Array.from({length: 10_000}, (_, index): Invalidation => ({kind: 'resource', resource: String(index)}));
	await process.journal.invalidateQuietly(many);
	t.deepEqual([await process.find(old), await process.find(plain), await process.find(plain, '5')], ['used', 'used', 'none']);
	await process.journal.invalidateQuietly([{kind: 'resource', resource: 'one more'}]);
	t.deepEqual([await process.find(old), await process.find(plain), await process.find(plain, 'one more')], ['none', 'expired', 'none']);
	store.before = () => undefined;
	await process.note(resource);
	t.is(await process.find((await process.fetch(tagged))!), 'used');
});

test('ended exchanges leave no memory behind, in whatever order they end', async t => {
	const local = new LocalJournal();
	const process = new Process(new SharedStore(), {local, isShared: false});
	const references: Array<WeakRef<object>> = [];
	const note = async (): Promise<void> => {
		const invalidation: Invalidation = {kind: 'matching', concerns: () => false};
		references.push(new WeakRef(invalidation));
		await process.note(invalidation);
	};

	// No exchange is in progress.
	await note();
	const positions = [await process.ask()];
	await note();
	positions.push(await process.ask(), await process.ask());
	await note();
	await turn();
	collect();
	const left = (): boolean[] => references.map(reference => reference.deref() !== undefined);
	t.deepEqual(left(), [false, true, true]);
	t.false(process.journal.concerns(subject(), positions[0]!));
	process.journal.end(positions[1]!);
	process.journal.end(positions[0]!);
	await turn();
	collect();
	t.deepEqual(left(), [false, false, true], 'only the last invalidation concerns the third exchange');
	process.journal.end(positions[2]!);
	await turn();
	collect();
	t.deepEqual(left(), [false, false, false]);
});

// Which caches share a journal.

test('caches with the same name and store share the journal of this process', t => {
	const store = {};
	t.is(localJournalOf(store, ''), localJournalOf(store, ''));
	t.not(localJournalOf(store, 'a'), localJournalOf(store, 'b'));
	t.not(localJournalOf({}, 'a'), localJournalOf({}, 'a'));
	t.is(localJournalOf('sqlite', 'a'), localJournalOf('sqlite', 'a'));
	t.not(localJournalOf('sqlite', 'a'), localJournalOf('sqlite', 'b'));
	t.not(localJournalOf('sqlite', 'a'), localJournalOf('filesystem', 'a'));
	t.not(localJournalOf('memory', 'a', 'process'), localJournalOf('memory', 'a', 'process'));
	const bare = Object.create(null) as object;
	t.is(localJournalOf(bare, 'a'), localJournalOf(bare, 'a'));
});

// Clearing.

test('a response that was requested before the store was emptied is not stored by any process', async t => {
	for (const isNew of [true, false]) {
		const store = new SharedStore();
		const time = new Time();
		const [one, other] = [new Process(store, {time}), new Process(store, {time, skew: hour})];
		if (!isNew) {
			await other.note(resource);
		}

		const [mine, theirs] = [await one.ask(), await other.ask()];
		const fresh = new Process(store, {time, skew: -hour});
		const former = isNew ? 0 : headOf(store);
		const position = await fresh.journal.clear(async () => {
			await store.clear();
		});
		t.true(position! > former);
		t.deepEqual([await one.receive(mine), await other.receive(theirs)], [undefined, undefined]);
		t.is(await one.find((await other.fetch())!), 'used');
	}
});

test('emptying a store invalidates everything in this process first', async t => {
	const process = new Process(new SharedStore(), {isShared: false});
	const before = await process.ask();
	let isConcerned = false;
	const position = await process.journal.clear(async () => {
		isConcerned = process.journal.concerns(subject(), before);
	});
	t.true(isConcerned);
	t.is(position, undefined);
	t.is(await process.receive(before), undefined);
	await t.throwsAsync(process.journal.clear(async () => {
		throw new Error('no');
	}), {message: 'no'});
});

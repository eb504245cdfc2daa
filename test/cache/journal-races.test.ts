import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {Invalidation} from '../../source/cache/journal-records.ts';
import {Journal} from '../../source/cache/journal.ts';
import {LocalJournal} from '../../source/cache/local-journal.ts';
import {storedResponse} from '../../source/entry/stored-response.ts';
import type {Store} from '../../source/stores/types.ts';
import {isLong, Random} from '../chaos/random.ts';
import {ScheduledStore} from './scheduled-store.ts';

const subjects = ['a', 'b'] as const;
type Name = typeof subjects[number];
const entriesOfEach = 2;

const stored = storedResponse({
	method: 'GET',
	url: 'https://example.com/',
	statusCode: 200,
	statusMessage: 'OK',
	rawHeaders: [],
	createdAt: 0,
	initialAge: 0,
	expires: undefined,
	retainUntil: undefined,
	decidedBy: 'origin',
	generation: 'one',
}, new Uint8Array(0));

/** The origin, and the versions that its clients must not get any more. */
class World {
	readonly store = new ScheduledStore();
	readonly versions: Record<Name, number> = {a: 0, b: 0};

	/** The version up to which an invalidation of each name has resolved. */
	readonly known: Record<Name, number> = {a: 0, b: 0};
	readonly faults: string[] = [];
	time = 1_000_000_000;
	publishing = 0;
	clears = 0;
	clearing = 0;
}

class Process {
	readonly #world: World;
	readonly #store: Store;
	readonly #journal: Journal;
	readonly name: string;

	constructor(world: World, name: string, skew: number) {
		this.#world = world;
		this.name = name;
		this.#store = world.store.open();
		this.#journal = new Journal({
			local: new LocalJournal(),
			isShared: true,
			store: this.#store,
			now: () => world.time + skew,
			onFault(error) {
				world.faults.push(String(error));
			},
		});
	}

	/** The state of the origin changes, and the process invalidates it. */
	async change(name: Name, kind: 'resource' | 'tag' | 'key' | 'clear', alone: boolean): Promise<void> {
		const {versions, known} = this.#world;
		if (alone && this.#world.publishing > 0) {
			return;
		}

		this.#world.publishing++;
		versions[name]++;
		const version = versions[name];
		if (kind === 'clear') {
			this.#world.clears++;
			this.#world.clearing++;
			const position = await this.#journal.clear(async () => {
				await this.#store.clear();
			});
			for await (const [key, value] of this.#store.iterate()) {
				if (key.startsWith('entry ') && (JSON.parse(value as string) as {position: number}).position < position!) {
					await this.#store.delete(key);
				}
			}

			this.#world.clearing--;
		} else if (kind === 'key') {
			const keys = Array.from({length: entriesOfEach}, (_, index) => `entry ${name} ${index}`);
			await this.#journal.invalidate(keys.map((key): Invalidation => ({kind: 'key', key})));
			await this.#store.deleteMany(keys);
		} else {
			await this.#journal.invalidate([kind === 'tag' ? {kind, tag: name, effect: 'deleted'} : {kind, resource: name}]);
		}

		this.#world.publishing--;
		if (kind === 'resource' || kind === 'tag') {
			known[name] = Math.max(known[name], version);
		}
	}

	/** Looks up an entry. */
	async find(name: Name, index: number): Promise<number | undefined> {
		const key = `entry ${name} ${index}`;
		const [value, head] = await Promise.all([this.#store.get(key), this.#journal.head()]);
		if (value === undefined) {
			return undefined;
		}

		const {position, version} = JSON.parse(value as string) as {position: number; version: number};
		const judged = await this.#journal.apply({...stored, tags: [name], position}, {resource: () => name}, head);
		return judged === undefined ? undefined : version;
	}

	async request(name: Name, index: number): Promise<void> {
		const {versions, known, faults} = this.#world;
		const least = known[name];
		const {clears, clearing} = this.#world;
		const found = await this.find(name, index);
		if (found !== undefined) {
			// Records may be deleted while an entry is being looked up.
			if (clearing === 0 && found < least && clears === this.#world.clears) {
				faults.push(`${this.name} was given ${name} ${index} of version ${found} after ${least} was known`);
			}

			return;
		}

		await this.#journal.settled();
		const position = this.#journal.begin();
		const key = `entry ${name} ${index}`;
		const subject = {
			keys: [key], resource: name, url: name, tags: [name],
		};
		const version = versions[name];
		// The response takes as long as one or two calls.
		await this.#store.get('the time that the origin takes');
		const at = await this.#journal.verify(subject, position);
		if (at !== undefined) {
			await this.#store.set(key, JSON.stringify({position: at, version}), {expires: undefined});
			if (await this.#journal.verify(subject, position) === undefined) {
				await this.#store.delete(key);
			}
		}

		this.#journal.end(position);
	}
}

async function run(seed: number, {skews, alone, actions}: {readonly skews: readonly number[]; readonly alone: boolean; readonly actions: number}): Promise<string[]> {
	const random = new Random(seed);
	const world = new World();
	const processes = skews.map((skew, index) => new Process(world, 'ABC'[index]!, skew));
	const pending = new Set<Promise<void>>();
	const start = (action: Promise<void>): void => {
		pending.add(action);
		void action.finally(() => {
			pending.delete(action);
		});
	};

	const step = async (): Promise<void> => {
		world.time += random.below(3);
		world.store.step(random);
		await turn();
	};

	for (let count = 0; count < actions;) {
		if (pending.size < 6 && random.happens(0.4)) {
			count++;
			const process = processes[random.below(processes.length)]!;
			const name = subjects[random.below(2)]!;
			start(random.happens(0.35)
				? process.change(name, random.happens(0.05) ? 'clear' : (['resource', 'tag', 'key'] as const)[random.below(3)]!, alone)
				: process.request(name, random.below(entriesOfEach)));
		}

		await step();
	}

	while (pending.size > 0) {
		await step();
	}

	// All invalidations are published now: no process uses an outdated entry, and all processes use new ones.
	const settle = async (action: Promise<unknown>): Promise<void> => {
		start((async () => {
			await action;
		})());
		while (pending.size > 0) {
			await step();
		}
	};

	for (const name of subjects) {
		for (let index = 0; index < entriesOfEach; index++) {
			for (const process of processes) {
				await settle((async () => {
					const found = await process.find(name, index);
					if (found !== undefined && found !== world.versions[name]) {
						world.faults.push(`${process.name} has ${name} ${index} of version ${found} in the end, not ${world.versions[name]}`);
					}
				})());
			}

			for (const process of processes) {
				await settle(process.request(name, index));
			}

			for (const process of processes) {
				await settle((async () => {
					if (await process.find(name, index) === undefined) {
						world.faults.push(`${process.name} misses ${name} ${index}, which was fetched anew`);
					}
				})());
			}
		}
	}

	return world.faults;
}

const hour = 3_600_000;
const situations: ReadonlyArray<readonly [title: string, skews: readonly number[], alone: boolean]> = [
	['with equal clocks', [0, 0, 0], false],
	['with clocks that are a millisecond apart and invalidations one after the other', [1, 0, -1], true],
	['with clocks that are an hour apart and invalidations one after the other', [hour, 0, -hour], true],
];

for (const [title, skews, alone] of situations) {
	test(`processes ${title} get no outdated entry, in whatever order the store answers`, async t => {
		for (let seed = 1; seed <= (isLong ? 3000 : 200); seed++) {
			t.deepEqual(await run(seed, {skews, alone, actions: 60}), [], `seed ${seed}`);
		}
	});
}

import {randomUUID} from 'node:crypto';
import type {TestFn} from 'ava';
import {openStore} from '../../../source/stores/open.ts';
import type {Store} from '../../../source/stores/types.ts';
import {ServerProcess, type ServerCommand} from '../../helpers/server-process.ts';
import {reportServer} from '../../helpers/servers.ts';
import {testStoreFaults} from '../contract-faults.ts';
import {testStore, type KnownLimit, type Place} from '../contract.ts';
import {processFolder} from '../../helpers/temporary-folder.ts';
import {testDeath} from './death.ts';
import {exitWhenDone} from './exit-when-done.ts';
import {limitsFor, refusalOf} from './limits.ts';
import {findPackage} from './packages.ts';
import {testRound} from './round.ts';
import {
	makerOf,
	shapeNames,
	subjects,
	type Adapter,
	type AdapterPlace,
	type Setting,
	type ShapeName,
	type SubjectName,
} from './subjects.ts';

type Maker = (place: AdapterPlace) => Setting;

/**
Runs the store contract and an end-to-end round, as AVA tests, for that adapter in every shape in which it may be handed in.
*/
export async function testAdapter(test: TestFn, name: SubjectName): Promise<void> {
	exitWhenDone();
	const subject = subjects[name];
	const found = findPackage(subject.package, subject.installed);
	if (found === undefined) {
		reportServer(test, name, undefined, `package \`${subject.package}\` in \`${subject.installed}\`: \`npm ci\` there installs it`);
		return;
	}

	const server = await subject.server?.();
	if (server !== undefined && 'missing' in server) {
		reportServer(test, name, undefined, server.missing);
		return;
	}

	// AVA requires all tests to be declared at once, so everything asynchronous comes before the first test.
	const running = server === undefined ? undefined : await ServerProcess.start(server.command);
	const makers = await Promise.all(shapeNames.map(async shape => [shape, await makerOf(name, shape)] as const));
	const title = `${subject.package} ${found.version}`;
	reportServer(test, name, server === undefined ? `${title}, without a server` : `${title} on ${server.title}`, '');
	test.after.always(async () => {
		if (subject.isApart === false) {
			// Otherwise it would end the process when its server goes away.
			const {adapter} = makers[0]![1](newPlace());
			await adapter.get('none');
			await adapter.disconnect?.();
		}

		await running?.stop();
	});
	let places = 0;
	const newPlace = (): AdapterPlace => ({
		folder: processFolder(), id: `t${randomUUID().replaceAll('-', '')}`, database: places++ % 16, port: running?.port ?? 0,
	});
	for (const [shape, make] of makers) {
		const refusal = refusalOf(name, shape);
		if (refusal !== undefined) {
			test(`${name}, ${shape}: the adapter cannot be used, since ${refusal.because}`, t => {
				t.throws(() => make(newPlace()), {message: refusal.shows});
			});
			continue;
		}

		const limits = limitsFor(name, shape);
		const tested = {
			name, shape, make, newPlace, limits,
		};
		// The tests run serially, since together they would exceed time limits on a busy machine.
		testContract(test.serial as TestFn, tested);
		testRound(test.serial as TestFn, `${name}, ${shape}`, tested);
		if (server !== undefined) {
			testOutage(test, server.command, tested);
		}
	}
}

function testOutage(test: TestFn, command: ServerCommand, {
	name, shape, make, newPlace, limits,
}: Tested): void {
	const {isDurable = false, diesOf, server} = subjects[name];
	if (diesOf !== undefined) {
		testDeath(test, `${name}, ${shape}`, {
			// Another server, with a folder of its own.
			async command() {
				const another = await server!();
				return 'command' in another ? another.command : command;
			},
			args: [name, shape, JSON.stringify(newPlace())],
			diesOf,
		});
		return;
	}

	const made: Adapter[] = [];
	testStoreFaults(test.serial as TestFn, `${name}, ${shape}`, {
		start: async () => ServerProcess.start(command),
		open(port) {
			const {adapter, setting} = make({...newPlace(), port, connectTimeout: 2000});
			made.push(adapter);
			return openStore(setting, {cacheName: 'n1'}).store;
		},
		isDurable,
		limits,
	});
	// Without a server the promise may never settle.
	test.after.always(() => {
		for (const adapter of made) {
			void adapter.disconnect?.();
		}
	});
}

export type Tested = {
	readonly name: SubjectName;
	readonly shape: ShapeName;
	readonly make: Maker;
	readonly newPlace: () => AdapterPlace;
	readonly limits: readonly KnownLimit[];
};

function testContract(test: TestFn, {name, shape, make, newPlace, limits}: Tested): void {
	const {isShared = true, isApart = true, mayBeginTogether = true} = subjects[name];
	testStore(test, `${name}, ${shape}`, {
		makePlace({now}): Place {
			const place = newPlace();
			const shared = new SharedSetting(() => make(place), isApart);
			return {
				open: namespace => shared.open(place.id + namespace, now),
				...isShared && {
					async elsewhere() {
						if (!mayBeginTogether) {
							const {adapter} = make(place);
							await adapter.get('none');
							await adapter.disconnect?.();
						}

						return {module: new URL('open-adapter.ts', import.meta.url).href, args: [name, shape, JSON.stringify(place)]};
					},
				},
			};
		},
		hasOurClock: false,
		persists: true,
		limits,
	});
}

/** An adapter that several stores share, as in an application. It is disconnected when the last of them is closed. */
class SharedSetting {
	readonly #make: () => Setting;
	readonly #isApart: boolean;
	#current: Setting | undefined;
	#users = 0;

	constructor(make: () => Setting, isApart: boolean) {
		this.#make = make;
		this.#isApart = isApart;
	}

	open(cacheName: string, now: () => number): Store {
		this.#current ??= this.#make();
		this.#users++;
		const {store} = openStore(this.#current.setting, {cacheName, now});
		const close = async (): Promise<void> => {
			this.#users--;
			if (this.#users > 0) {
				return;
			}

			const unused = this.#current;
			this.#current = undefined;
			await (this.#isApart ? unused?.adapter.disconnect?.() : undefined);
		};

		return new Proxy(store, {
			get(target, property) {
				const value: unknown = property === 'close' ? close : Reflect.get(target, property, target);
				return typeof value === 'function' ? value.bind(target) as unknown : value;
			},
		});
	}
}

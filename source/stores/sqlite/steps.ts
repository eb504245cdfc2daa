import {setImmediate as nextTurn} from 'node:timers/promises';
import type {StoreQuery} from '../types.ts';
import {isFull} from './errors.ts';
import {makeRoomInLog, rowsPerPurge} from './eviction.ts';
import type {Session} from './session.ts';
import {
	deleteBetween,
	findIds,
	findPage,
	rowsPerDeletion,
	type Found,
	type Statements,
} from './statements.ts';

/* eslint-disable no-await-in-loop -- All of these work in steps. Between two steps, this process does other things and other processes may write. */

type Row = {readonly key: string; readonly value: Uint8Array};

const rowsPerPage = 256;
const pagesPerVacuum = 500;

/** See `SqliteStore.iterate`. */
export async function * iterateRows(session: Session, now: () => number): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
	const last = await session.run(statements => lastId(statements));
	let id = 0;
	while (id < last) {
		const after = id;
		const page = await session.run(statements => statements.page.all(after, last, now(), rowsPerPage)) as Array<{id: number}>;
		for (const entry of page) {
			const row = await session.run(statements => statements.row.get(entry.id, now())) as Row | undefined;
			if (row !== undefined) {
				yield [row.key, row.value];
			}
		}

		id = page.at(-1)?.id ?? last;
	}
}

/** See `SqliteStore.find`. */
export async function * findKeys(session: Session, query: StoreQuery, now: () => number): AsyncGenerator<string, void> {
	const last = await session.run(statements => lastId(statements));
	// A row that is set again meanwhile moves, and would come twice.
	const seen = new Set<number>();
	let position: Found | undefined;
	for (;;) {
		const after = position;
		const {rows, isLast} = await session.run((_, database) => findPage(database, query, {last, now: now(), after}));
		const unseen = rows.filter(({id}) => !seen.has(id));
		for (const {id, key} of unseen) {
			seen.add(id);
			yield key;
		}

		if (isLast) {
			return;
		}

		position = rows.at(-1);
	}
}

/** Deletes the rows that meet the query, and returns their number. */
export async function deleteInSteps(session: Session, query: StoreQuery, now: number): Promise<number> {
	await session.untilWritable();
	const ids = await session.run((_, database) => findIds(database, query, now));
	let rows = rowsPerDeletion;
	let hasMadeRoom = false;
	let total = 0;
	for (let start = 0; start < ids.length;) {
		const range = {first: ids[start]!, last: ids[Math.min(start + rows, ids.length) - 1]!, now};
		try {
			total += await session.run((_, database) => deleteBetween(database, query, range));
			start += rows;
			hasMadeRoom = false;
		} catch (error) {
			if (!isFull(error) || (hasMadeRoom && rows === 1)) {
				throw error;
			}

			// There may be room for the log of fewer rows.
			await session.run(makeRoomInLog);
			hasMadeRoom = true;
			rows = Math.ceil(rows / 50);
		}

		await nextTurn();
	}

	return total;
}

/** Removes all expired rows, and returns their number. */
export async function purgeInSteps(session: Session, now: () => number): Promise<number> {
	await session.untilWritable();
	let total = 0;
	for (;;) {
		const changes = Number(await session.run(({purge}) => purge.run(now(), rowsPerPurge).changes));
		total += changes;
		if (changes < rowsPerPurge) {
			return total;
		}

		await nextTurn();
	}
}

/** Returns the space of deleted rows to the file system. */
export async function vacuumInSteps(session: Session): Promise<void> {
	await session.untilWritable();
	let before = Infinity;
	for (;;) {
		const {pages} = await session.run(({free}) => free.get()) as {pages: number};
		// A file without incremental vacuum does not shrink.
		if (pages === 0 || pages >= before) {
			break;
		}

		before = pages;
		await session.execute(`PRAGMA incremental_vacuum(${pagesPerVacuum})`);
		await nextTurn();
	}

	await session.execute('PRAGMA wal_checkpoint(PASSIVE)');
}

function lastId({last}: Statements): number {
	return (last.get() as {id: number}).id;
}
/* eslint-enable no-await-in-loop */

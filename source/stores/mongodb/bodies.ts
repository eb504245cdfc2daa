import type * as MongoDb from 'mongodb';
import type {MongoConnection, MongoLink} from './connection.ts';

export type BodyOwner = {
	readonly namespace: string;
	readonly key: string;
};

/**
Where bytes lie that a head refers to: under an id of their own, so that they are never written over.
*/
export type Bodies = {
	/** Leaves nothing behind where it fails, unless the server is lost. */
	write(bytes: Uint8Array, owner: BodyOwner): Promise<MongoDb.ObjectId>;

	/** `undefined` where it is not there, or not whole. */
	read(id: MongoDb.ObjectId, length: number): Promise<Uint8Array | undefined>;
	remove(ids: readonly MongoDb.ObjectId[]): Promise<void>;

	/** Says when the server may forget it, once a head refers to it. Until then that is an hour after the writing, where the server knows how to. */
	keep(id: MongoDb.ObjectId, expires: Date | undefined): Promise<void>;

	/** The ids of the bodies, whole or not, of whatever namespace, that were begun before that time. */
	begunBefore(time: Date): AsyncIterable<MongoDb.ObjectId>;
};

export type BodiesOptions = {
	readonly connection: MongoConnection;
	readonly collection: (link: MongoLink, suffix: string) => MongoDb.Collection;
	readonly now: () => number;
};

/** A writer that has not finished after that time never will. */
export const unfinishedAfter = 3_600_000;

/** The ids that a query finds, a page at a time: no cursor is held between two. */
export async function * idsOf(find: (after: MongoDb.ObjectId | undefined, limit: number) => Promise<readonly MongoDb.ObjectId[]>): AsyncGenerator<MongoDb.ObjectId, void> {
	const limit = 256;
	let page = await find(undefined, limit);
	for (;;) {
		yield * page;
		if (page.length < limit) {
			return;
		}

		page = await find(page.at(-1), limit); // eslint-disable-line no-await-in-loop
	}
}

export function idBefore({ObjectId}: typeof MongoDb, time: Date): MongoDb.ObjectId {
	const seconds = Math.floor(time.getTime() / 1000);
	return ObjectId.createFromTime(Math.max(0, seconds));
}

/** An id that says by our clock when its body was begun. */
export function newId({ObjectId}: typeof MongoDb, now: number): MongoDb.ObjectId {
	return new ObjectId(ObjectId.generate(Math.floor(now / 1000)));
}

import {setTimeout as pause} from 'node:timers/promises';
import type {KeysAndAttributes, WriteRequest} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import type {Item} from './attributes.ts';
import type {Connection} from './connection.ts';
import type {ItemKey} from './names.ts';
import {inParallel} from './parallel.ts';

type Write = {
	readonly request: WriteRequest;

	/** What it weighs on the wire, or more. */
	readonly bytes: number;
};

const mostWrites = 25;
const mostReads = 100;

/** DynamoDB takes 16 MB in one request. Smaller ones do not run into the time limit of a call. */
const mostBytes = 6_000_000;
const batchesAtOnce = 4;
const firstPause = 50;
const longestPause = 2000;

export function deletion(key: ItemKey): Write {
	return {request: {DeleteRequest: {Key: key}}, bytes: 6000};
}

/**
Puts and deletes as many items as there are, in no order; no key may be there twice.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` when some are left unprocessed for longer than `retryFor`.
*/
export async function writeMany(connection: Connection, writes: readonly Write[]): Promise<void> {
	const {tableName} = connection.options;
	await inParallel(batched(writes), batchesAtOnce, async batch => untilProcessed(connection, batch.map(({request}) => request), async requests => {
		const {UnprocessedItems: unprocessed} = await connection.send('BatchWriteItem', {RequestItems: {[tableName]: requests}});
		return {left: unprocessed?.[tableName] ?? [], isThrottled: true};
	}));
}

/**
The items that are there, in no order; no key may be asked for twice.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` when some are left unprocessed for longer than `retryFor`.
*/
export async function readMany(connection: Connection, keys: readonly ItemKey[], how: Omit<KeysAndAttributes, 'Keys'>): Promise<Item[]> {
	const {tableName} = connection.options;
	const found: Item[] = [];
	const batches = slices(keys, mostReads);
	await inParallel(batches, batchesAtOnce, async batch => untilProcessed(connection, batch, async keysLeft => {
		const {Responses: responses, UnprocessedKeys: unprocessed} = await connection.send('BatchGetItem', {RequestItems: {[tableName]: {...how, Keys: [...keysLeft]}}});
		const items = (responses?.[tableName] ?? []) as Item[];
		found.push(...items);
		// An answer holds 16 MB: what did not fit in is no reason to wait.
		return {left: (unprocessed?.[tableName]?.Keys ?? []) as unknown as ItemKey[], isThrottled: items.length === 0};
	}));
	return found;
}

type Step<T> = (pending: T[]) => Promise<{readonly left: T[]; readonly isThrottled: boolean}>;

async function untilProcessed<T>(connection: Connection, all: readonly T[], step: Step<T>): Promise<void> {
	const {retryFor, tableName} = connection.options;
	const end = performance.now() + retryFor;
	let longest = firstPause;
	for (let pending = [...all]; pending.length > 0;) {
		const {left, isThrottled} = await step(pending); // eslint-disable-line no-await-in-loop
		longest = left.length < pending.length ? firstPause : Math.min(longest * 2, longestPause);
		pending = left;
		if (!isThrottled || pending.length === 0) {
			continue;
		}

		// Full jitter: processes that were refused together do not come back together.
		const wait = Math.random() * longest;
		if (performance.now() + wait > end) {
			throw new CacheHooksError('ERR_STORE_THROTTLED', `The DynamoDB table \`${tableName}\` left ${left.length} of ${all.length} items unprocessed for ${retryFor} ms`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
	}
}

function batched(writes: readonly Write[]): Write[][] {
	const batches: Write[][] = [];
	let room = 0;
	for (const write of writes) {
		const last = batches.at(-1);
		if (last === undefined || last.length === mostWrites || write.bytes > room) {
			batches.push([write]);
			room = mostBytes - write.bytes;
		} else {
			last.push(write);
			room -= write.bytes;
		}
	}

	return batches;
}

export function slices<T>(items: readonly T[], length: number): T[][] {
	return Array.from({length: Math.ceil(items.length / length)}, (_, index) => items.slice(index * length, (index + 1) * length));
}

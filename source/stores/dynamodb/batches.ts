import {setTimeout as pause} from 'node:timers/promises';
import type {KeysAndAttributes, WriteRequest} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {batches} from '../server-options.ts';
import type {Connection} from './connection.ts';
import type {Item, ItemKey} from './items.ts';

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
	await inParallel([...batches(keys, mostReads)], batchesAtOnce, async batch => untilProcessed(connection, batch, async keysLeft => {
		const {Responses: responses, UnprocessedKeys: unprocessed} = await connection.send('BatchGetItem', {RequestItems: {[tableName]: {...how, Keys: [...keysLeft]}}});
		const items = responses?.[tableName] ?? [];
		found.push(...items);
		// An answer holds 16 MB: what did not fit in is no reason to wait.
		return {left: (unprocessed?.[tableName]?.Keys ?? []) as ItemKey[], isThrottled: items.length === 0};
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
	const all: Write[][] = [];
	let room = 0;
	for (const write of writes) {
		const last = all.at(-1);
		if (last === undefined || last.length === mostWrites || write.bytes > room) {
			all.push([write]);
			room = mostBytes - write.bytes;
		} else {
			last.push(write);
			room -= write.bytes;
		}
	}

	return all;
}

/**
Does the task for each item, some of them at once, and answers in their order. When one fails no other is begun, and those that have begun are waited for.
*/
export async function inParallel<Input, Result>(items: readonly Input[], atOnce: number, task: (item: Input) => Promise<Result>): Promise<Result[]> {
	const results: Result[] = [];
	// One iterator for all workers: each takes what comes next.
	const queue = items.entries();
	let hasFailed = false;
	const work = async (): Promise<void> => {
		for (const [index, item] of queue) {
			if (hasFailed) {
				return;
			}

			try {
				results[index] = await task(item); // eslint-disable-line no-await-in-loop
			} catch (error) {
				hasFailed = true;
				throw error;
			}
		}
	};

	const workers = await Promise.allSettled(Array.from({length: Math.min(atOnce, items.length)}, work));
	for (const worker of workers) {
		if (worker.status === 'rejected') {
			throw worker.reason as Error;
		}
	}

	return results;
}

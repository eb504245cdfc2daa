import {setTimeout as pause} from 'node:timers/promises';
import type {KeysAndAttributes, WriteRequest} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {inParallel} from '../many-keys.ts';
import {batches} from '../server-options.ts';
import type {Connection} from './connection.ts';
import type {Item, ItemKey} from './items.ts';

const writesPerBatch = 25;
const readsPerBatch = 100;

const batchesAtOnce = 4;
const firstPause = 50;
const longestPause = 2000;

/**
Puts and deletes any number of items of different keys, in no particular order.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` if some items are left unprocessed for longer than `retryFor`.
*/
export async function writeItems(connection: Connection, writes: readonly WriteRequest[], perBatch: number = writesPerBatch): Promise<void> {
	const {tableName} = connection.options;
	await inParallel([...batches(writes, perBatch)], batchesAtOnce, async batch => untilProcessed(connection, batch, async requests => {
		const {UnprocessedItems: unprocessed} = await connection.send('BatchWriteItem', {RequestItems: {[tableName]: requests}});
		return {left: unprocessed?.[tableName] ?? [], isThrottled: true};
	}));
}

export async function deleteItems(connection: Connection, keys: readonly ItemKey[]): Promise<void> {
	await writeItems(connection, keys.map(key => ({DeleteRequest: {Key: key}})));
}

/**
Returns the items of different keys that exist, in no particular order.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` if some keys are left unprocessed for longer than `retryFor`.
*/
export async function readItems(connection: Connection, keys: readonly ItemKey[], options: Omit<KeysAndAttributes, 'Keys'>): Promise<Item[]> {
	const {tableName} = connection.options;
	const found: Item[] = [];
	await inParallel([...batches(keys, readsPerBatch)], batchesAtOnce, async batch => untilProcessed(connection, batch, async keysLeft => {
		const {Responses: responses, UnprocessedKeys: unprocessed} = await connection.send('BatchGetItem', {RequestItems: {[tableName]: {...options, Keys: [...keysLeft]}}});
		const items = responses?.[tableName] ?? [];
		found.push(...items);
		// A response holds 16 MB. Keys that did not fit are asked for again without a pause.
		return {left: (unprocessed?.[tableName]?.Keys ?? []) as ItemKey[], isThrottled: items.length === 0};
	}));
	return found;
}

type Step<T> = (pending: T[]) => Promise<{readonly left: T[]; readonly isThrottled: boolean}>;

async function untilProcessed<T>(connection: Connection, all: readonly T[], step: Step<T>): Promise<void> {
	const {retryFor, tableName} = connection.options;
	const end = performance.now() + retryFor;
	let pauseLimit = firstPause;
	for (let pending = [...all]; pending.length > 0;) {
		const {left, isThrottled} = await step(pending); // eslint-disable-line no-await-in-loop
		pauseLimit = left.length < pending.length ? firstPause : Math.min(pauseLimit * 2, longestPause);
		pending = left;
		if (!isThrottled || pending.length === 0) {
			continue;
		}

		// Pauses are random, so that processes that were throttled together do not try again together.
		const wait = Math.random() * pauseLimit;
		if (performance.now() + wait > end) {
			throw new CacheHooksError('ERR_STORE_THROTTLED', `The DynamoDB table \`${tableName}\` left ${left.length} of ${all.length} items unprocessed for ${retryFor} ms`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
	}
}

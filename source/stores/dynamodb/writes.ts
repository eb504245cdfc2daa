import type {PutItemInput} from '@aws-sdk/client-dynamodb';
import {inParallel, writeMany} from './batches.ts';
import {
	dropChunks,
	keepChunks,
	versionIn,
	writeChunks,
	type Version,
} from './chunks.ts';
import {isCausedBy, type Connection} from './connection.ts';
import type {Draft, Item} from './items.ts';

type Condition = Pick<PutItemInput, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;
const hasNoChunks: Condition = {
	ConditionExpression: 'attribute_not_exists(#version)',
	ExpressionAttributeNames: {'#version': 'version'},
};

const putsAtOnce = 8;

/**
Writes the entry in one step, whatever was there, and deletes chunks that are of no more use.
*/
export async function putDraft(connection: Connection, draft: Draft): Promise<void> {
	// Asked for, what was there would come back with every write, and it rarely has chunks.
	if (draft.spilled === undefined && await isPut(async () => put(connection, draft.item, hasNoChunks))) {
		return;
	}

	await putWithChunks(connection, draft);
}

/**
Writes the entry unless there is a live one, and says whether it did.
*/
export async function addDraft(connection: Connection, draft: Draft): Promise<boolean> {
	const isFree: Condition = {
		ConditionExpression: 'attribute_not_exists(#key) OR #expires <= :now',
		ExpressionAttributeNames: {'#key': 'key', '#expires': 'expires'},
		ExpressionAttributeValues: {':now': {N: String(connection.options.now())}},
	};
	return isPut(async () => putWithChunks(connection, draft, isFree));
}

/**
Writes many entries of different keys.

@param replacesChunks - Whether what is there has chunks, so that a batch, which does not tell what it replaced, will not do.
*/
export async function putDrafts(connection: Connection, drafts: readonly Draft[], replacesChunks: (draft: Draft) => boolean): Promise<void> {
	const single = drafts.filter(draft => draft.spilled !== undefined || replacesChunks(draft));
	const others = drafts.filter(draft => !single.includes(draft));
	await writeMany(connection, others.map(({item, bytes}) => ({request: {PutRequest: {Item: item}}, bytes})));
	await inParallel(single, putsAtOnce, async draft => putWithChunks(connection, draft));
}

async function putWithChunks(connection: Connection, draft: Draft, condition: Condition = {}): Promise<void> {
	const version = draft.spilled === undefined ? undefined : await writeChunks(connection, draft.key, draft.spilled, draft.ttl);
	try {
		const replaced = versionIn(await put(connection, version === undefined ? draft.item : {...draft.item, version: {S: version.id}, chunks: {N: String(version.count)}}, condition, 'ALL_OLD'));
		await dropChunks(connection, ...(replaced === undefined ? [] : [replaced]));
	} catch (error) {
		await dropChunks(connection, ...(version === undefined ? [] : [version]));
		throw error;
	}

	if (version === undefined || draft.ttl !== undefined) {
		return;
	}

	await keepChunks(connection, version);
	await dropUnlessNamed(connection, version);
}

/** A batch that deleted the entry meanwhile did not see its chunks, and now they would be there for good. */
async function dropUnlessNamed(connection: Connection, version: Version): Promise<void> {
	const {Item: item} = await connection.send('GetItem', {
		Key: version.head,
		ConsistentRead: true,
		ProjectionExpression: '#namespace, #key, #version, #chunks',
		ExpressionAttributeNames: {
			'#namespace': 'namespace', '#key': 'key', '#version': 'version', '#chunks': 'chunks',
		},
	});
	if (versionIn(item)?.id !== version.id) {
		await dropChunks(connection, version);
	}
}

async function put(connection: Connection, item: Item, condition: Condition, returned: 'ALL_OLD' | 'NONE' = 'NONE'): Promise<Item | undefined> {
	const {Attributes: old} = await connection.send('PutItem', {Item: item, ReturnValues: returned, ...condition});
	return old;
}

/** Whether the condition held. */
async function isPut(write: () => Promise<unknown>): Promise<boolean> {
	try {
		await write();
		return true;
	} catch (error) {
		if (isCausedBy(error, 'ConditionalCheckFailedException')) {
			return false;
		}

		throw error;
	}
}

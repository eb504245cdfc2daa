import {setTimeout as pause} from 'node:timers/promises';
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {isCausedBy, type Send} from './connection.ts';
import {ttlAttribute} from './items.ts';

const activationTime = 60_000;
const longestPause = 1000;

/**
Creates the table with a TTL if it does not exist, and waits until it is active. Several processes may do so at once. An existing table is not changed, since it may have other items, for which `ttl` has another meaning.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` if the table has other keys, `ERR_STORE_TABLE` if it is not active within a minute.
*/
export async function ensureTable(send: Send, tableName: string): Promise<void> {
	const table = await describe(send);
	const isCreated = table === undefined && await create(send);
	checkKeys(table, tableName);
	await untilActive(send, tableName, table);
	if (isCreated) {
		await turnOnTimeToLive(send);
	}
}

async function describe(send: Send): Promise<TableDescription | undefined> {
	try {
		const {Table: table} = await send('DescribeTable', {});
		return table;
	} catch (error) {
		if (isCausedBy(error, 'ResourceNotFoundException')) {
			return undefined;
		}

		throw error;
	}
}

/** Returns `false` if another process was faster. */
async function create(send: Send): Promise<boolean> {
	try {
		await send('CreateTable', {
			AttributeDefinitions: [{AttributeName: 'namespace', AttributeType: 'S'}, {AttributeName: 'key', AttributeType: 'S'}],
			KeySchema: [{AttributeName: 'namespace', KeyType: 'HASH'}, {AttributeName: 'key', KeyType: 'RANGE'}],
			BillingMode: 'PAY_PER_REQUEST',
		});
		return true;
	} catch (error) {
		if (isCausedBy(error, 'ResourceInUseException')) {
			return false;
		}

		throw error;
	}
}

function checkKeys(table: TableDescription | undefined, tableName: string): void {
	const keys = table?.KeySchema?.map(({AttributeName: name, KeyType: type}) => `${name} ${type}`).join(', ');
	if (keys !== undefined && keys !== 'namespace HASH, key RANGE') {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The DynamoDB table \`${tableName}\` cannot be used: its partition key must be \`namespace\` and its sort key \`key\``);
	}
}

async function untilActive(send: Send, tableName: string, described: TableDescription | undefined): Promise<void> {
	const end = performance.now() + activationTime;
	let table = described;
	for (let wait = 25; !['ACTIVE', 'UPDATING'].includes(table?.TableStatus ?? ''); wait = Math.min(wait * 2, longestPause)) {
		if (performance.now() > end) {
			throw new CacheHooksError('ERR_STORE_TABLE', `The DynamoDB table \`${tableName}\` is not active after ${activationTime / 1000} s`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
		table = await describe(send); // eslint-disable-line no-await-in-loop
	}
}

async function turnOnTimeToLive(send: Send): Promise<void> {
	try {
		await send('UpdateTimeToLive', {TimeToLiveSpecification: {AttributeName: ttlAttribute, Enabled: true}});
	} catch (error) {
		// Some emulators have no TTL. Expired entries are not served anyway.
		if (!isCausedBy(error, 'UnknownOperationException')) {
			throw error;
		}
	}
}

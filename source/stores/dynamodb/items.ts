import {Buffer} from 'node:buffer';
import type {SetOptions} from '../types.ts';
import {
	numberIn,
	textIn,
	type Attribute,
	type Item,
} from './attributes.ts';
import type {Version} from './chunks.ts';
import {marshal} from './marshal.ts';
import {isDigest, itemKey, type ItemKey} from './names.ts';
import {ttlAttribute} from './table.ts';
import {unmarshal} from './unmarshal.ts';

/** An entry as it is to be written: what is spilled comes first. */
export type Draft = {
	readonly key: ItemKey;
	readonly item: Item;
	readonly spilled: readonly Uint8Array[];

	/** The second of its TTL. */
	readonly ttl: number | undefined;

	/** What the item weighs on the wire, or more. */
	readonly bytes: number;
};

/** Below DynamoDB's 400 KB (409,600 bytes), with room for keys and times. */
const mostValueBytes = 380_000;

export function draftOf(partition: string, key: string, value: unknown, {expires, indexed}: SetOptions): Draft {
	const place = itemKey(partition, key);
	const {value: held, order, spilled, bytes} = marshal(value, mostValueBytes);
	const ttl = expires === undefined || expires === Infinity ? undefined : Math.ceil(expires / 1000);
	const item: Record<string, Attribute> = {...place};
	const note = (name: string, attribute: string | number | undefined): void => {
		if (attribute !== undefined && attribute !== Infinity) {
			item[name] = typeof attribute === 'string' ? {S: attribute} : {N: String(attribute)};
		}
	};

	note('wholeKey', isDigest(place.key.S) ? JSON.stringify(key) : undefined);
	item.value = held;
	note('order', order);
	note('expires', expires);
	note(ttlAttribute, ttl);
	note('createdAt', indexed?.createdAt);
	note('freshUntil', indexed?.freshUntil);
	return {
		key: place, item, spilled, ttl, bytes: (bytes * 2) + 20_000,
	};
}

export function withVersion({item}: Draft, {id, count}: Version): Item {
	return {...item, version: {S: id}, chunks: {N: String(count)}};
}

export function keyIn(item: Item): string {
	const whole = textIn(item, 'wholeKey');
	return whole === undefined ? textIn(item, 'key')! : JSON.parse(whole) as string;
}

/** DynamoDB deletes late, so that what has expired may still be there. */
export function isLive(item: Item, now: number): boolean {
	return (numberIn(item, 'expires') ?? Infinity) > now;
}

export function valueIn(item: Item, spilled: Uint8Array = Buffer.alloc(0)): unknown {
	return unmarshal(item.value!, textIn(item, 'order'), spilled);
}

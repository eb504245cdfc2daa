import {channel, type Channel} from 'node:diagnostics_channel';
import process from 'node:process';
import type {CacheEventName} from './types.ts';

const packageName = 'got-cache-hooks';

function channelOf(event: CacheEventName): Channel {
	return channel(`${packageName}:${event}`);
}

/** The diagnostics channels, by event. */
export const channels: Readonly<Record<CacheEventName, Channel>> = {
	hit: channelOf('hit'),
	stale: channelOf('stale'),
	revalidated: channelOf('revalidated'),
	miss: channelOf('miss'),
	bypassed: channelOf('bypassed'),
	stored: channelOf('stored'),
	refused: channelOf('refused'),
	deleted: channelOf('deleted'),
	expired: channelOf('expired'),
	evicted: channelOf('evicted'),
	storeError: channelOf('storeError'),
	settingError: channelOf('settingError'),
	backgroundError: channelOf('backgroundError'),
	internalError: channelOf('internalError'),
	circuit: channelOf('circuit'),
};

/** Whether `DEBUG` asks for the events. It is read once, since each request would ask for it. */
export const isPrinted: boolean = isDebugEnabled(process.env.DEBUG);

/** Whether `DEBUG` names this library, in full or by a `*` at the end; a `-` before a name excludes it. */
export function isDebugEnabled(debug: string | undefined): boolean {
	const items = (debug ?? '').split(/[\s,]+/v).filter(Boolean);
	const matches = (item: string): boolean => item === packageName || (item.endsWith('*') && packageName.startsWith(item.slice(0, -1)));
	return items.some(item => matches(item)) && items.every(item => !(item.startsWith('-') && matches(item.slice(1))));
}

/** Prints one line on stderr: `got-cache-hooks hit fresh GET https://example.com/`. */
export function print(event: string, payload: Readonly<Record<string, unknown>>): void {
	const {reason, operation, setting, method, url, key, count, error} = payload;
	const words = [packageName, event, reason, operation, setting, method, url ?? key, count, error].filter(word => word !== undefined);
	process.stderr.write(`${words.map(String).join(' ')}\n`);
}

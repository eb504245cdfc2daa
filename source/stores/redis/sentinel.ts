import type {RedisClient, RedisCommands, RedisSetOptions} from './connection.ts';

type SendCommand = (isReadonly: boolean, words: ReadonlyArray<string | Uint8Array>, options: object) => Promise<unknown>;

/**
The commands of a sentinel, word by word: its `withTypeMapping` (`@redis/client` 5.12) changes the sentinel itself, for everybody who uses it.
*/
export function sentinelCommands(client: RedisClient, typeMapping: object): RedisCommands {
	const send = async <T>(isReadonly: boolean, ...words: ReadonlyArray<string | Uint8Array>): Promise<T> =>
		(client as RedisClient & {readonly sendCommand: SendCommand}).sendCommand(isReadonly, words, {typeMapping}) as Promise<T>;

	return {
		get: async key => send(true, 'GET', key),
		getRange: async (key, start, end) => send(true, 'GETRANGE', key, String(start), String(end)),
		exists: async key => send(true, 'EXISTS', key),
		set: async (key, value, options) => send(false, 'SET', key, value, ...wordsOf(options)),
		unlink: async keys => send(false, 'UNLINK', ...[keys].flat()),
		async scan(cursor, options) {
			// On the master: another replica has other cursors.
			const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
			const [next, keys] = await send<[string, string[]]>(false, 'SCAN', cursor, ...words);
			return {cursor: next, keys};
		},
	};
}

function wordsOf({expiration, condition}: RedisSetOptions): string[] {
	return [
		...(expiration === undefined ? [] : [expiration.type, String(expiration.value)]),
		...(condition === undefined ? [] : [condition]),
	];
}

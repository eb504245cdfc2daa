import process from 'node:process';

const name = 'got-cache-hooks';

/** Whether `DEBUG` names this library, in full or by a `*` at the end; a `-` before a name takes it out again. */
export function isDebugged(names: string | undefined): boolean {
	const items = (names ?? '').split(/[\s,]+/v).filter(Boolean);
	const isMeant = (item: string): boolean => item === name || (item.endsWith('*') && name.startsWith(item.slice(0, -1)));
	return items.some(item => isMeant(item)) && items.every(item => !(item.startsWith('-') && isMeant(item.slice(1))));
}

/** One line on stderr: `got-cache-hooks hit fresh GET https://example.com/`. */
export function printDecision(event: string, payload: Readonly<Record<string, unknown>>): void {
	const {reason, operation, setting, method, url, key, count, error} = payload;
	const words = [name, event, reason, operation, setting, method, url ?? key, count, error].filter(word => word !== undefined);
	process.stderr.write(`${words.map(String).join(' ')}\n`);
}

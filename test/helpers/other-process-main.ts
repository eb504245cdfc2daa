import process from 'node:process';
import type {Store} from '../../source/stores/types.ts';
import {textOf, valueFor} from '../stores/contract.ts';
import type {Command} from './other-process.ts';

/** Started by `OtherProcess`: opens the store, and calls the methods that it gets messages for. */
const [module, namespace, ...args] = process.argv.slice(2) as [string, string, ...string[]];
const {open} = await import(module) as {open(namespace: string, ...args: string[]): Store | Promise<Store>};
const store = await open(namespace, ...args);

async function obey([name, key]: Command): Promise<unknown> {
	switch (name) {
		case 'get': {
			return textOf(await store.get(key));
		}

		case 'set': {
			await store.set(key, valueFor(store, key), {expires: undefined});
			return null;
		}

		case 'add': {
			return store.add!(key, valueFor(store, key), {expires: undefined});
		}

		default: {
			return store.delete(key);
		}
	}
}

async function obeyAll(commands: Command[]): Promise<void> {
	const answers = [];
	for (const command of commands) {
		answers.push(await obey(command) ?? null);
	}

	process.send!(answers);
}

process.on('message', (commands: Command[]) => {
	void obeyAll(commands);
});
process.send!('ready');

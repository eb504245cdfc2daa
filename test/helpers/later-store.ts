import {setImmediate as turn} from 'node:timers/promises';
import {MemoryStore} from '../../source/stores/memory.ts';

/** A memory store that answers asynchronously, as a server would. */
export class LaterStore extends MemoryStore {
	override async get(key: string): Promise<object | string | undefined> {
		await turn();
		return super.get(key);
	}
}

import type {Action} from './statements.ts';

const pause = 60_000;

/**
Which keys were read lately. A read only notes its key, and the notes are written together now and then, so that reads do not become writes.
*/
export class Uses {
	readonly #write: (keys: ReadonlySet<string>) => void;
	#keys = new Set<string>();
	#timer: NodeJS.Timeout | undefined;

	/**
	Notes nothing yet.

	@param write - Called a minute after the first note. Nothing waits for it, the process included.
	*/
	constructor(write: (keys: ReadonlySet<string>) => void) {
		this.#write = write;
	}

	note(key: string): void {
		this.#keys.add(key);
		this.#timer ??= setTimeout(() => {
			this.#write(this.take());
		}, pause).unref();
	}

	/** What was noted, which is forgotten. */
	take(): ReadonlySet<string> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const keys = this.#keys;
		this.#keys = new Set();
		return keys;
	}
}

export function writeUses(keys: ReadonlySet<string>, now: number): Action<void> {
	return ({use}) => {
		for (const key of keys) {
			use.run(now, key);
		}
	};
}

import {EventEmitter} from 'node:events';

type Entries = Map<string, {value: unknown; expires: number}>;

/**
A storage adapter like those for Keyv 5: it takes a time to live, and has no namespace of its own. It cannot list its keys.
*/
export class ListlessAdapter extends EventEmitter {
	readonly entries: Entries = new Map();
	/** The error that every call throws while it is set. */
	fault: Error | undefined;
	lastTimeToLive: number | undefined;
	/** Keyv 5 iterates only over adapters of a dialect that it knows. */
	readonly opts: {dialect: string; url: string} = {dialect: 'redis', url: ''};

	async get(key: string): Promise<unknown> {
		this.answer();
		const entry = this.entries.get(key);
		return entry !== undefined && entry.expires > Date.now() ? entry.value : undefined;
	}

	async set(key: string, value: unknown, timeToLive?: number): Promise<boolean> {
		this.answer();
		this.lastTimeToLive = timeToLive;
		this.entries.set(key, {value, expires: timeToLive === undefined ? Infinity : Date.now() + timeToLive});
		return true;
	}

	async delete(key: string): Promise<boolean> {
		this.answer();
		return this.entries.delete(key);
	}

	async clear(): Promise<void> {
		this.answer();
		this.entries.clear();
	}

	protected answer(): void {
		if (this.fault !== undefined) {
			throw this.fault;
		}
	}
}

/** An adapter that can list its keys. */
export class PromiseAdapter extends ListlessAdapter {
	async * iterator(): AsyncGenerator<[string, unknown], void> {
		this.answer();
		for (const [key, {value}] of this.entries) {
			yield [key, value];
		}
	}
}

/** An adapter that handles the namespace itself, like those for Keyv 6. */
export class NamespacedAdapter extends PromiseAdapter {
	namespace: string | undefined;
	readonly capabilities = {expires: true};

	async has(key: string): Promise<boolean> {
		return this.entries.has(key);
	}
}

import type {Store, StoredValue} from '../../source/stores/types.ts';
import type {Random} from '../chaos/random.ts';

/** A store that several processes share, which answers calls in a random order. */
export class ScheduledStore {
	readonly entries: Map<string, StoredValue> = new Map<string, StoredValue>();
	readonly #pending: Array<() => void> = [];

	get pending(): number {
		return this.#pending.length;
	}

	/** Returns the store for one process. */
	open(): Store {
		const {entries} = this;
		const call = async <T>(action: () => T): Promise<T> => new Promise(resolve => {
			this.#pending.push(() => {
				resolve(action());
			});
		});
		return {
			name: 'scheduled',
			valueType: 'text',
			get: async key => call(() => entries.get(key)),
			set: async (key, value) => call(() => {
				entries.set(key, value);
			}),
			delete: async key => call(() => entries.delete(key)),
			deleteMany: async keys => call(() => {
				for (const key of keys) {
					entries.delete(key);
				}
			}),
			clear: async () => call(() => {
				entries.clear();
			}),
			async * iterate() {
				yield * await call(() => [...entries]);
			},
			close() {},
		};
	}

	/** Answers one of the pending calls. */
	step(random: Random): void {
		const [call] = this.#pending.splice(random.below(this.#pending.length), 1);
		call?.();
	}
}

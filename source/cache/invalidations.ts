import {resourceOfRequest} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';

type Invalidation = {
	readonly time: number;
	readonly count: number;

	/** Entries stored since, within the same millisecond. */
	readonly renewed: Set<string>;
};

// Enough for the resources that a process changes while what it stored of them before is still about.
const capacity = 10_000;

/**
The resources that unsafe requests have changed (RFC 9111 §4.4), for whomever: entries of other credentials or matched headers lie under keys that nobody can tell from the request that changed the resource, so they are recognised when they are read.

It is the memory of one process. Others still find what they stored for other credentials, until it expires.
*/
export class Invalidations {
	readonly #byResource = new Map<string, Invalidation>();
	#count = 0;

	/** How many there have been: a request that was sent before one may have been answered before it. */
	get count(): number {
		return this.#count;
	}

	/** Notes that a resource has changed; `resource` is its name, as `resourceOfRequest` gives it. */
	add(resource: string, time: number): void {
		this.#count++;
		this.#byResource.delete(resource);
		this.#byResource.set(resource, {time, count: this.#count, renewed: new Set()});
		if (this.#byResource.size > capacity) {
			this.#byResource.delete(this.#byResource.keys().next().value!);
		}
	}

	/** Whether an entry is of before the resource was changed. */
	outdates(request: SentRequest, key: string, createdAt: number): boolean {
		const last = this.#last(request);
		return last !== undefined && (createdAt < last.time || (createdAt === last.time && !last.renewed.has(key)));
	}

	/** Whether the resource was changed after so many invalidations. */
	isChangedSince(request: SentRequest, count: number): boolean {
		return this.#count > count && (this.#last(request)?.count ?? 0) > count;
	}

	/** An entry of the resource is stored anew. */
	renew(request: SentRequest, key: string): void {
		this.#last(request)?.renewed.add(key);
	}

	#last(request: SentRequest): Invalidation | undefined {
		return this.#byResource.size === 0 ? undefined : this.#byResource.get(resourceOfRequest(request));
	}
}

const byStore = new WeakMap<object, Invalidations>();
const byFile = new Map<string, Invalidations>();

/**
The invalidations of a store: caches of one process that share it share them.

@param store - The store as it was given; a name is that of a file, but for `'memory'`, which nobody shares.
*/
export function invalidationsOf(store: object | string, cacheName: string): Invalidations {
	if (store === 'memory') {
		return new Invalidations();
	}

	const known = typeof store === 'string' ? byFile.get(cacheName) : byStore.get(store);
	if (known !== undefined) {
		return known;
	}

	const invalidations = new Invalidations();
	if (typeof store === 'string') {
		byFile.set(cacheName, invalidations);
	} else {
		byStore.set(store, invalidations);
	}

	return invalidations;
}

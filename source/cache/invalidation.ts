/** What a response is, as invalidations name it. */
export type Subject = {
	/** The keys under which it is, or will be, as far as they are known: the primary one, and that of its variant. */
	readonly keys: readonly string[];

	/** The name of the resource, as `resourceOfRequest` gives it. */
	readonly resource: string;

	/** The target URI, without its secrets. */
	readonly url: string;

	/** The tags of the response, as far as they are known. */
	readonly tags: readonly string[];
};

/** What was done to the responses that an invalidation names. */
export type Deed = 'deleted' | 'expired';

/** An invalidation that a stored response may be asked about when it is found. */
export type NamedInvalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly deed: Deed};

/** An invalidation: which responses that were asked for before are no longer true. */
export type Invalidation =
	| NamedInvalidation
	| {readonly kind: 'key'; readonly key: string}

	/** Everything that a condition holds for; other processes take it for everything. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

export const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** Before which position nobody knows any more what was invalidated: for entries without tags, and for those with tags. */
export type Forgotten = {readonly resources: number; readonly tags: number};

export const deeds: readonly Deed[] = ['deleted', 'expired'];

export function isConcerned(subject: Subject, invalidation: Invalidation): boolean {
	switch (invalidation.kind) {
		case 'resource': {
			return subject.resource === invalidation.resource;
		}

		case 'tag': {
			return subject.tags.includes(invalidation.tag);
		}

		case 'key': {
			return subject.keys.includes(invalidation.key);
		}

		case 'matching': {
			return invalidation.concerns(subject);
		}

		default: {
			return invalidation satisfies never;
		}
	}
}

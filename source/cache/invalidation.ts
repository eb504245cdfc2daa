/** What a response is, as invalidations name it. */
export type Subject = {
	/** The keys under which the response is, or will be, stored, as far as they are known: the primary one, and that of its variant. */
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

/** An invalidation by a name, which is looked up when a stored response is found. */
export type NamedInvalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly deed: Deed};

/** An invalidation. It concerns responses whose request was sent before it. */
export type Invalidation =
	| NamedInvalidation
	| {readonly kind: 'key'; readonly key: string}

	/** All responses for which a condition holds; other processes take it for all responses. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

/** The invalidation of all responses. */
export const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** The positions before which invalidations are forgotten: those of resources, and those of tags. */
export type Forgotten = {readonly resources: number; readonly tags: number};

/** All deeds: a tag has a record for each. */
export const deeds: readonly Deed[] = ['deleted', 'expired'];

/** Whether an invalidation concerns a response. */
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

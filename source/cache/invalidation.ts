import {hash} from 'node:crypto';

/** A response, as invalidations name it. */
export type Subject = {
	/** The known keys under which the response is, or will be, stored: the primary one, and that of its variant. */
	readonly keys: readonly string[];

	/** The name of the resource, as `resourceOfRequest` gives it. */
	readonly resource: string;

	/** The target URI, without its secrets. */
	readonly url: string;

	/** The known tags of the response. */
	readonly tags: readonly string[];
};

/** What an invalidation does to responses. */
export type Effect = 'deleted' | 'expired';

/** All effects: a tag has a record for each. */
export const effects: readonly Effect[] = ['deleted', 'expired'];

/** An invalidation by a name, which is looked up when a stored response is found. */
export type NamedInvalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly effect: Effect};

/** An invalidation. It concerns responses whose request was sent before it. */
export type Invalidation =
	| NamedInvalidation
	| {readonly kind: 'key'; readonly key: string}

	/** All responses for which a condition holds; for other processes, all responses. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

/** The invalidation of all responses. */
export const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** The positions before which invalidations are forgotten, of resources and of tags. */
export type Forgotten = {readonly resources: number; readonly tags: number};

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

/** Returns the key of the record of an invalidation. All invalidations by a condition share one. */
export function recordKey(invalidation: Invalidation): string {
	switch (invalidation.kind) {
		case 'resource': {
			return `got-cache:1:resource:${digest(invalidation.resource)}`;
		}

		case 'tag': {
			return `got-cache:1:tag:${invalidation.effect}:${digest(invalidation.tag)}`;
		}

		case 'key': {
			return `got-cache:1:key:${digest(invalidation.key)}`;
		}

		case 'matching': {
			return 'got-cache:1:everything';
		}

		default: {
			return invalidation satisfies never;
		}
	}
}

function digest(text: string): string {
	return hash('sha256', text, 'hex');
}

const day = 86_400_000;

/** The milliseconds for which an invalidated resource is remembered. An older entry is validated before it is used. */
export const resourceRetention: number = 30 * day;

/** The milliseconds for which invalidations of keys, and of everything, are remembered: a response that took longer is not stored. */
export const exchangeRetention: number = day / 24;

/** Returns the milliseconds for which the record of an invalidation is stored; `undefined` for tags, whose records stay as long as entries do. */
export function retentionOf({kind}: Invalidation): number | undefined {
	if (kind === 'tag') {
		return undefined;
	}

	return kind === 'resource' ? resourceRetention : exchangeRetention;
}

import type {Fields} from '../policy/fields.ts';
import type {Ignored} from './ignored.ts';

/**
A request as it is matched: what will be sent.
*/
export type KeyRequest = {
	readonly method: string;
	readonly url: string;
	readonly headers: Fields;
	readonly body?: string | Uint8Array | undefined;

	/** Who the client is by its TLS certificate: the certificate, its key, a PFX. */
	readonly clientCertificate?: ReadonlyArray<string | Uint8Array> | undefined;
};

/**
A request as it is stored: what is secret in it is replaced, and of a body that is no text for us only what parts the key is there.
*/
export type StorableRequest = KeyRequest & {
	readonly matchedBody?: readonly string[] | undefined;
};

/** Names the tenant that a request is for: tenants never share a response. */
export type PartitionFunction = (request: KeyRequest) => string;

/** What parts keys, understood. */
export type MatchSettings = {
	/** The request headers that part the key: none, all, or those named (in lower case). */
	readonly matchHeaders: boolean | readonly string[];
	readonly partitionBy: 'credentials' | false | PartitionFunction;
	readonly ignoredParameters: Ignored;

	/** The member of a JSON body below which parameters are ignored by name; `undefined` is everywhere. */
	readonly contentRootKey?: string | undefined;

	/** Whether the order of query parameters parts keys, too. */
	readonly cacheControl?: boolean | undefined;
};

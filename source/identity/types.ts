import type {Fields} from '../policy/fields.ts';
import type {Ignored} from './credentials.ts';

/**
A request of which a key is made: as it will be sent.
*/
export type KeyRequest = {
	/** The method, with the one that an override header asks for behind a colon: `POST:PUT`. */
	readonly method: string;

	/** The URL of the connection. A `Host` header may name another authority. */
	readonly url: string;
	readonly headers: Fields;
	readonly body?: string | Uint8Array | undefined;

	/** A digest of the TLS settings that decide whom the client believes and as whom it speaks; `undefined` where they are the defaults. */
	readonly trust?: string | undefined;
};

/**
A request as it is stored: secrets are replaced. Of a body that is neither JSON nor a form, only the parts of its identity are there.
*/
export type StorableRequest = KeyRequest & {
	readonly bodyParts?: readonly string[] | undefined;
};

/** Names the tenant that a request is for: tenants never share a response. */
export type PartitionCallback = (request: KeyRequest) => string;

/**
Makes the key of a request, or gives `undefined` for one that is not to be cached. `createKey` makes the key that the request would have without a `keyFn`.
*/
export type KeyCallback = (request: KeyRequest, createKey: (request: KeyRequest) => string) => string | undefined | Promise<string | undefined>;

/** The settings that decide the identity of a request, parsed. */
export type IdentitySettings = {
	/** The request headers that are included in the key: none, all, or those named (in lower case). */
	readonly matchHeaders: boolean | readonly string[];
	readonly partitionBy: 'credentials' | false | PartitionCallback;
	readonly ignoredParameters: Ignored;

	/** The member of a JSON body below which parameters are ignored by name; `undefined` is everywhere. */
	readonly contentRootKey?: string | undefined;

	/** Whether the order of query parameters is part of the key (RFC 9111 §4 compares URLs as RFC 3986 does). */
	readonly cacheControl?: boolean | undefined;
};

/** The settings of identity with the function that takes the place of the default key. */
export type KeySettingsOfCache = IdentitySettings & {
	readonly keyFn: KeyCallback | undefined;
};

import {StoreTimeoutError} from '../errors.ts';
import {bytesPerMillisecond, within} from './time-limit.ts';
import {closedError, type ResolvedServerOptions} from './server-options.ts';

type ServerConnectionOptions<Link> = {
	/** The name of the store, for messages. */
	readonly name: string;
	readonly limits: ResolvedServerOptions;

	/** Whether the client belongs to the user: it is connected again for each call where necessary, and never closed. */
	readonly isShared: boolean;

	/** Connects within `connectionTimeout`. Closes what it has opened when it fails. */
	readonly connect: () => Promise<Link>;
	readonly disconnect: (link: Link) => Promise<void>;

	/** Whether an error of a call shows that the connection is of no use any more. A timeout always shows it. Default: no other error does. */
	readonly isLost?: (link: Link, error: unknown) => boolean;
};

/**
A connection to a server, which the first call opens.

A connection that is lost, or on which a call has timed out, is closed, and the next call opens another. Without calls nothing connects, and no call waits in a queue until the server is back.
*/
export class ServerConnection<Link> {
	readonly #options: ServerConnectionOptions<Link>;
	#opened: Promise<Link> | undefined;
	#isClosed = false;

	constructor(options: ServerConnectionOptions<Link>) {
		this.#options = options;
	}

	/**
	Runs an action on the connection, within the time limits.

	@param bytes - The number of bytes that are sent or fetched, which extend the limit.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`.
	*/
	async run<T>(operation: string, action: (link: Link) => Promise<T>, bytes = 0): Promise<T> {
		const {connectionTimeout, commandTimeout} = this.#options.limits;
		const opened = this.#open();
		try {
			return await within(connectionTimeout + commandTimeout + Math.ceil(bytes / bytesPerMillisecond), operation, opened.then(action));
		} catch (error) {
			await this.#closeIfLost(opened, error);
			throw error;
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		const opened = this.#opened;
		this.#opened = undefined;
		await this.#disconnect(opened);
	}

	#open(): Promise<Link> {
		const {name, isShared, connect} = this.#options;
		if (this.#isClosed) {
			throw closedError(`${name} store`);
		}

		if (isShared) {
			return connect();
		}

		this.#opened ??= this.#connect();
		return this.#opened;
	}

	async #connect(): Promise<Link> {
		try {
			return await this.#options.connect();
		} catch (error) {
			this.#opened = undefined;
			throw error;
		}
	}

	async #closeIfLost(opened: Promise<Link>, error: unknown): Promise<void> {
		if (this.#opened !== opened) {
			return;
		}

		const isLost = error instanceof StoreTimeoutError || this.#options.isLost?.(await opened, error);
		if (!(isLost && this.#opened === opened)) {
			return;
		}

		this.#opened = undefined;
		void this.#disconnect(opened);
	}

	async #disconnect(opened: Promise<Link> | undefined): Promise<void> {
		try {
			const link = await opened;
			if (link !== undefined) {
				await this.#options.disconnect(link);
			}
		} catch {
			// Neither a connection that was never open nor a server that is away needs closing.
		}
	}
}

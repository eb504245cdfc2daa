import {CacheHooksError, StoreTimeoutError} from '../errors.ts';
import {bytesPerMillisecond, within} from './time-limit.ts';
import {closedError, type ResolvedServerOptions} from './server-options.ts';

/** The number of calls of a process that may wait for one server. */
const mostPendingCalls = 10_000;

type ServerConnectionOptions<Connected> = {
	/** The name of the store, for messages. */
	readonly name: string;
	readonly limits: ResolvedServerOptions;

	/** Whether the client belongs to the user: it is connected again for each call where necessary, and never closed. */
	readonly isShared: boolean;

	/** Connects within `connectionTimeout`. Closes what it has opened when it fails. */
	readonly connect: () => Promise<Connected>;
	readonly disconnect: (connected: Connected) => Promise<void>;

	/** Whether an error of a call shows that the connection is of no use any more. A timeout always shows it. Default: no other error does. */
	readonly isLost?: (connected: Connected, error: unknown) => boolean;
};

/**
A connection to a server, which the first call opens.

A connection that is lost, or on which a call has timed out, is closed, and the next call opens another. Without calls nothing connects, and no call waits in a queue until the server is back.
*/
export class ServerConnection<Connected> {
	readonly #options: ServerConnectionOptions<Connected>;
	#pendingCalls = 0;
	#opened: Promise<Connected> | undefined;
	#isClosed = false;

	constructor(options: ServerConnectionOptions<Connected>) {
		this.#options = options;
	}

	/**
	Runs an action on the connection, within the time limits. The number of calls is limited too, since a driver goes on waiting after the time limit.

	@param bytes - The number of bytes that are sent or fetched, which extend the limit.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`, or `ERR_STORE_BUSY` if too many calls are waiting.
	*/
	async run<T>(operation: string, action: (connected: Connected) => Promise<T>, bytes = 0): Promise<T> {
		if (this.#pendingCalls >= mostPendingCalls) {
			throw new CacheHooksError('ERR_STORE_BUSY', `\`${operation}\` is refused: ${mostPendingCalls} calls are already waiting for the store.`);
		}

		const {connectionTimeout, commandTimeout} = this.#options.limits;
		const opened = this.#open();
		try {
			return await within(connectionTimeout + commandTimeout + Math.ceil(bytes / bytesPerMillisecond), operation, this.#call(opened, action));
		} catch (error) {
			await this.#closeIfLost(opened, error);
			throw error;
		}
	}

	async #call<T>(opened: Promise<Connected>, action: (connected: Connected) => Promise<T>): Promise<T> {
		this.#pendingCalls++;
		try {
			return await action(await opened);
		} finally {
			this.#pendingCalls--;
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		const opened = this.#opened;
		this.#opened = undefined;
		await this.#disconnect(opened);
	}

	#open(): Promise<Connected> {
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

	async #connect(): Promise<Connected> {
		try {
			return await this.#options.connect();
		} catch (error) {
			this.#opened = undefined;
			throw error;
		}
	}

	async #closeIfLost(opened: Promise<Connected>, error: unknown): Promise<void> {
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

	async #disconnect(opened: Promise<Connected> | undefined): Promise<void> {
		try {
			const connected = await opened;
			if (connected !== undefined) {
				await this.#options.disconnect(connected);
			}
		} catch {
			// Neither a connection that was never open nor a server that is away needs closing.
		}
	}
}

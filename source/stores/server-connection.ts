import {StoreTimeoutError} from '../errors.ts';
import {settledInTime} from '../maybe-promise.ts';
import {bytesPerMillisecond} from './time-limit.ts';
import {closedError, type ResolvedServerOptions} from './server-options.ts';

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
	#opened: Promise<Connected> | undefined;

	/** What `#opened` resolves to, once it is open. */
	#connected: Connected | undefined;
	#isClosed = false;

	constructor(options: ServerConnectionOptions<Connected>) {
		this.#options = options;
	}

	/**
	Runs an action on the connection, within the time limits.

	@param bytes - The number of bytes that are sent or fetched, which extend the limit.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`.
	*/
	run<T>(operation: string, action: (connected: Connected) => Promise<T>, bytes = 0): Promise<T> {
		const {connectionTimeout, commandTimeout} = this.#options.limits;
		const milliseconds = connectionTimeout + commandTimeout + Math.ceil(bytes / bytesPerMillisecond);
		const opened = this.#open();
		const onError = (error: unknown): Promise<never> => this.#fail(opened, error);
		const onTimeout = (): Promise<never> => onError(new StoreTimeoutError(operation, milliseconds));
		return settledInTime<T, T>(this.#call(opened, action), milliseconds, {
			onValue: value => value, onError, onTimeout,
		});
	}

	#call<T>(opened: Promise<Connected>, action: (connected: Connected) => Promise<T>): Promise<T> {
		if (this.#connected === undefined) {
			return opened.then(action);
		}

		try {
			return action(this.#connected);
		} catch (error) {
			return Promise.reject(error); // eslint-disable-line @typescript-eslint/prefer-promise-reject-errors
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		const opened = this.#opened;
		this.#forget();
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

	#connect(): Promise<Connected> {
		const opened = this.#options.connect();
		void this.#whenOpen(opened);
		return opened;
	}

	async #whenOpen(opened: Promise<Connected>): Promise<void> {
		try {
			const connected = await opened;
			// It may be lost already.
			if (this.#opened === opened) {
				this.#connected = connected;
			}
		} catch {
			if (this.#opened === opened) {
				this.#forget();
			}
		}
	}

	#forget(): void {
		this.#opened = undefined;
		this.#connected = undefined;
	}

	async #fail(opened: Promise<Connected>, error: unknown): Promise<never> {
		await this.#closeIfLost(opened, error);
		throw error;
	}

	async #closeIfLost(opened: Promise<Connected>, error: unknown): Promise<void> {
		if (this.#opened !== opened) {
			return;
		}

		const isLost = error instanceof StoreTimeoutError || this.#options.isLost?.(await opened, error);
		if (!(isLost && this.#opened === opened)) {
			return;
		}

		this.#forget();
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

import {StoreTimeoutError} from '../errors.ts';
import {settledInTime} from '../maybe-promise.ts';
import {bytesPerMillisecond} from './time-limit.ts';
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

	/** The link of `#opened`, once it is open. */
	#link: Link | undefined;
	#isClosed = false;

	constructor(options: ServerConnectionOptions<Link>) {
		this.#options = options;
	}

	/**
	Runs an action on the connection, within the time limits.

	@param bytes - The number of bytes that are sent or fetched, which extend the limit.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`.
	*/
	run<T>(operation: string, action: (link: Link) => Promise<T>, bytes = 0): Promise<T> {
		const {connectionTimeout, commandTimeout} = this.#options.limits;
		const milliseconds = connectionTimeout + commandTimeout + Math.ceil(bytes / bytesPerMillisecond);
		const opened = this.#open();
		const onError = (error: unknown): Promise<never> => this.#fail(opened, error);
		const onTimeout = (): Promise<never> => onError(new StoreTimeoutError(operation, milliseconds));
		return settledInTime<T, T>(this.#call(opened, action), milliseconds, {
			onValue: value => value, onError, onTimeout,
		});
	}

	#call<T>(opened: Promise<Link>, action: (link: Link) => Promise<T>): Promise<T> {
		if (this.#link === undefined) {
			return opened.then(action);
		}

		try {
			return action(this.#link);
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

	#connect(): Promise<Link> {
		const opened = this.#options.connect();
		void this.#whenOpen(opened);
		return opened;
	}

	async #whenOpen(opened: Promise<Link>): Promise<void> {
		try {
			const link = await opened;
			// It may be lost already.
			if (this.#opened === opened) {
				this.#link = link;
			}
		} catch {
			if (this.#opened === opened) {
				this.#forget();
			}
		}
	}

	#forget(): void {
		this.#opened = undefined;
		this.#link = undefined;
	}

	async #fail(opened: Promise<Link>, error: unknown): Promise<never> {
		await this.#closeIfLost(opened, error);
		throw error;
	}

	async #closeIfLost(opened: Promise<Link>, error: unknown): Promise<void> {
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

import {subscribe} from 'node:diagnostics_channel';
import {fileURLToPath} from 'node:url';
import {warnOnce} from '../../warnings.ts';
import type {OwnCacheMessage} from '../register-channel.ts';
import {supportedVersions} from '../supported-got.ts';

/** What Got publishes of a request. */
type RequestMessage = {readonly requestId: string; readonly url: string};

/**
Finds requests that should be cached and are not, since they are of a copy of Got that the register does not reach: one of another version, or one whose modules something other than Node.js loads. Warns once of each kind, when a cache is in use.

Got publishes its requests to `node:diagnostics_channel` since Got 14.6.1, wherever it is loaded.
*/
export class UnreachedGot {
	readonly #isCached: () => boolean;
	readonly #isReached: (options: object) => boolean;
	readonly #versions = new Map<string, string>();
	#isWatching = false;
	#isWarned = false;

	/** Whether the last options were made by a copy of Got that is reached. Got makes them right before it publishes the request. */
	#areOptionsReached = false;

	/** The last request that is not reached. */
	#request: RequestMessage | undefined;

	/**
	Watches nothing yet.

	@param isCached - Whether a cache is installed for the call tree.
	@param isReached - Whether options are of a copy of Got that is reached.
	*/
	constructor(isCached: () => boolean, isReached: (options: object) => boolean) {
		this.#isCached = isCached;
		this.#isReached = isReached;
	}

	noteReachedOptions(): void {
		this.#areOptionsReached = true;
	}

	/** Notes a copy of Got that is not supported. */
	noteVersion(version: string, folder: string): void {
		if (this.#versions.has(version)) {
			return;
		}

		this.#versions.set(version, folder);
		if (this.#isWatching) {
			warnOfVersion(version, folder);
		}
	}

	/** Begins to watch requests. It is called when a cache is installed: until then, nothing has to be cached. */
	watch(): void {
		if (this.#isWatching) {
			return;
		}

		this.#isWatching = true;
		for (const [version, folder] of this.#versions) {
			warnOfVersion(version, folder);
		}

		subscribe('got:request:create', message => {
			this.#requestCreated(message as RequestMessage);
		});
		subscribe('got:response:start', message => {
			this.#responseStarted(message as RequestMessage);
		});
	}

	/** Forgets a request whose instance has a cache of its own. */
	noteOwnCache({options}: OwnCacheMessage): void {
		if (this.#request !== undefined && options.url !== undefined && !this.#isReached(options) && withoutUser(options.url) === withoutUser(this.#request.url)) {
			this.#request = undefined;
		}
	}

	#requestCreated({requestId, url}: RequestMessage): void {
		if (this.#areOptionsReached) {
			this.#areOptionsReached = false;
		} else if (!this.#isWarned && this.#isCached()) {
			this.#request = {requestId, url};
		}
	}

	#responseStarted({requestId}: RequestMessage): void {
		if (requestId !== this.#request?.requestId) {
			return;
		}

		this.#request = undefined;
		this.#isWarned = true;
		warnOnce('GOT_CACHE_NOT_REACHED');
	}
}

function warnOfVersion(version: string, folder: string): void {
	warnOnce('GOT_CACHE_UNSUPPORTED_GOT', version, fileURLToPath(folder), supportedVersions);
}

/** Returns a URL as Got publishes it, which is without user and password since Got 15. */
function withoutUser(url: string | URL): string {
	const plain = new URL(url);
	plain.username = '';
	plain.password = '';
	return plain.href;
}

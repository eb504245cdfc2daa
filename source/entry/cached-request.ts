import {showAsText} from './inspected.ts';
import {
	fieldsOf,
	nodeHeaders,
	type NodeHeaders,
	type StoredRequest,
} from './stored-response.ts';

/**
The request that a stored response answers, as far as it is stored: what is secret in it is `REDACTED`, a body that is neither JSON nor a form is not there.
*/
export class CachedRequest {
	readonly method: string;

	/** Without user info and fragment. */
	readonly url: string;

	/** A JSON or form body. */
	readonly body: string | undefined;
	readonly #request: StoredRequest;

	static {
		showAsText(this);
	}

	constructor(request: StoredRequest) {
		// A method that an override header asks for stands behind the one that was sent.
		this.method = request.method.split(':', 1)[0]!;
		this.url = request.url;
		this.body = request.body;
		this.#request = request;
	}

	get headers(): NodeHeaders {
		return nodeHeaders(fieldsOf(this.#request.rawHeaders));
	}

	// eslint-disable-next-line @typescript-eslint/naming-convention -- `JSON.stringify` names it so.
	toJSON(): Record<string, unknown> {
		const {method, url, headers, body} = this;
		return {
			method,
			url,
			headers,
			...(body !== undefined && {body}),
		};
	}

	/** `GET https://example.com/`, also for `console.log`. */
	toString(): string {
		return `${this.method} ${this.url}`;
	}
}

import {Readable} from 'node:stream';

type Timings = {
	response: number | undefined;
	readonly phases: {firstByte: number | undefined};
};

/**
A failure in place of a response: Got fails with the error when it asks where the response came from.

Got 15 and 16 ignore the reset of a connection where the request has had a response. For one that Got knows nothing of, this is the way to tell it of the reset.
*/
export class FailedResponse extends Readable {
	readonly statusCode = 502;
	readonly headers = {};
	readonly rawHeaders: readonly string[] = [];
	readonly complete = false;
	readonly #error: Error;

	constructor(error: Error) {
		super({
			read() {
				this.push(null);
			},
		});
		this.#error = error;
	}

	get timings(): Timings {
		return {response: undefined, phases: {firstByte: undefined}};
	}

	/** Got has noted when the response came. This one never did. */
	set timings(timings: Timings) {
		timings.response = undefined;
		timings.phases.firstByte = undefined;
	}

	/**
	Got's `isFromCache`.

	@throws The error, always.
	*/
	get fromCache(): never {
		throw this.#error;
	}
}

/**
One line of the demo's table.
*/
export type Row = {
	readonly request: string;
	readonly status: string;
	readonly cache: string;
	readonly reason: string;
	readonly milliseconds: number;
	readonly note: string;
};

/**
Prints rows as they come, in columns that fit.
*/
export class Table {
	readonly #width: number;

	/** As wide as what will stand in the first column. */
	constructor(requests: readonly string[]) {
		this.#width = Math.max(...requests.map(request => request.length), 'request'.length);
		this.#print(['request', 'status', 'cache', 'reason', 'ms', '']);
	}

	add({request, status, cache, reason, milliseconds, note}: Row): void {
		this.#print([request, status, cache, reason, milliseconds.toFixed(1), note]);
	}

	#print([request, status, cache, reason, time, note]: readonly [string, string, string, string, string, string]): void {
		const cells = [request.padEnd(this.#width), status.padEnd(6), cache.padEnd(5), reason.padEnd(15), time.padStart(6), note];
		console.log(cells.join('  ').trimEnd());
	}
}

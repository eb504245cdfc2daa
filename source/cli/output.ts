import {once} from 'node:events';
import {styleText} from 'node:util';
import {messageOf} from './failure.ts';
import {printableJson} from './printable.ts';

type Writable = NodeJS.WritableStream & {readonly isTTY?: boolean; readonly columns?: number; readonly destroyed?: boolean};
type Readable = NodeJS.ReadableStream & {readonly isTTY?: boolean};

/** What the command line needs of a process. */
export type Surroundings = {
	readonly stdin: Readable;
	readonly stdout: Writable;
	readonly stderr: Writable;
	readonly env: Readonly<Record<string, string | undefined>>;
};

type Style = Parameters<typeof styleText>[0];

/** Thrown when nobody reads the output any more. */
export class ClosedPipeError extends Error {
	override readonly name = 'ClosedPipeError';
}

/** The output of a command. What it writes is printable already. */
export class Output {
	/** The progress that is shown. */
	progress: Progress | undefined;
	readonly #surroundings: Surroundings;
	#isClosed = false;

	constructor(surroundings: Surroundings) {
		this.#surroundings = surroundings;
		// Each write to a closed pipe emits an error, which would end the process.
		surroundings.stdout.on('error', () => {
			this.#isClosed = true;
		});
		surroundings.stderr.on('error', () => undefined);
	}

	get stdin(): Readable {
		return this.#surroundings.stdin;
	}

	get stderr(): Writable {
		return this.#surroundings.stderr;
	}

	/** Whether a person reads the results. */
	get isTerminal(): boolean {
		return this.#surroundings.stdout.isTTY === true;
	}

	/** Whether a person sees the progress. */
	get showsProgress(): boolean {
		return this.#surroundings.stderr.isTTY === true;
	}

	/** Whether a person can answer a question. */
	get canAsk(): boolean {
		return this.#surroundings.stdin.isTTY === true && this.showsProgress;
	}

	/**
	Writes a part of the result.

	@throws {ClosedPipeError} If nobody reads it.
	*/
	async write(part: string | Uint8Array): Promise<void> {
		const {stdout} = this.#surroundings;
		if (this.#isClosed) {
			throw new ClosedPipeError();
		}

		if (!stdout.write(part)) {
			await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(() => undefined);
		}
	}

	async line(text = ''): Promise<void> {
		await this.write(`${text}\n`);
	}

	async json(value: unknown): Promise<void> {
		await this.line(printableJson(value));
	}

	/** Writes the items of an array as they come. */
	async jsonArray(items: AsyncIterable<unknown>): Promise<void> {
		let separator = '[';
		for await (const item of items) {
			await this.write(`${separator}\n\t${printableJson(item).replaceAll('\n', '\n\t')}`);
			separator = ',';
		}

		await this.line(separator === '[' ? '[]' : '\n]');
	}

	/** Writes a note to the user, which is no part of the result, in place of a progress. */
	note(text: string): void {
		this.progress?.end();
		this.#surroundings.stderr.write(`${text}\n`);
	}

	/** Writes an error as one line, or with its stack if `DEBUG` is set. */
	error(error: unknown): void {
		const {DEBUG: debug = ''} = this.#surroundings.env;
		this.note(`got-cache-hooks: ${messageOf(error)}`);
		if (debug !== '' && error instanceof Error) {
			this.note(error.stack ?? '');
		}
	}

	/** Returns a text with a style, if the results go to a terminal and `NO_COLOR` does not forbid it. */
	styled(style: Style, text: string): string {
		const {env} = this.#surroundings;
		const isStyled = this.isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
		return isStyled ? styleText(style, text, {validateStream: false}) : text;
	}
}

const pause = 100;

/** The progress of a long task, on a terminal only. */
export class Progress {
	readonly #output: Output;
	readonly #label: string;
	readonly #total: number | undefined;
	readonly #clock: () => number;
	#last: number;
	#isShown = false;

	/** Takes the number of entries, if it is known, and a clock in milliseconds. */
	constructor(output: Output, label: string, total?: number, clock: () => number = () => performance.now()) {
		this.#output = output;
		this.#clock = clock;
		this.#last = clock();
		this.#label = label;
		this.#total = total;
	}

	readonly update = (done: number): void => {
		const now = this.#clock();
		if (!this.#output.showsProgress || now - this.#last < pause) {
			return;
		}

		this.#last = now;
		this.#isShown = true;
		this.#output.progress = this;
		this.#output.stderr.write(`\r${this.#label} ${this.#bar(done)}\u{1B}[K`);
	};

	/** Removes the line of the progress. */
	end(): void {
		if (!this.#isShown) {
			return;
		}

		this.#output.stderr.write('\r\u{1B}[K');
		this.#isShown = false;
	}

	#bar(done: number): string {
		const total = this.#total;
		if (total === undefined || total === 0) {
			return String(done);
		}

		const part = Math.min(done / total, 1);
		const width = 24;
		const filled = Math.round(part * width);
		return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${Math.floor(part * 100)} % ${done}/${total}`;
	}
}

import {Buffer} from 'node:buffer';
import {listed, SettingError} from '../../errors.ts';
import {boolean, parseOptions, type Parsers} from '../../parse.ts';
import {then, type MaybePromise} from '../../maybe-promise.ts';
import type {StoredResponse} from '../stored-response.ts';
import {fromDocument, toDocument, toJsonDocument} from './document.ts';
import {formatNames, formatStage, type FormatName} from './formats.ts';
import {isWithinLimits} from './limits.ts';
import {
	UnreadableError,
	type EntryDocument,
	type Serialized,
	type Stage,
	type StageContext,
	type StageOutput,
} from './stage.ts';

/** The options of a `SerializerPipeline`. */
export type PipelineOptions = {
	/**
	Whether to store JSON and text bodies as readable values, if the same bytes can be restored from them.

	@default The setting `decodeContent`
	*/
	readonly decodeContent?: boolean | undefined;
};

/** The name of a format, or a stage. */
export type PipelineStage = FormatName | Stage;

/** What messages say of a format or a stage. */
export const allowedSerializers: string = [`a format (${listed(formatNames.map(name => `'${name}'`), 'or')})`, 'a stage with `name`, `takes`, `gives`, `dumps` and `loads`'].join(' or ');

const pipelineParsers: Parsers<PipelineOptions> = {decodeContent: boolean};

/**
Converts stored responses to text, bytes or documents, and back. Each stage takes the output of the one before it.

If the first stage is not a format, the format `'binary'` is added before it. A stage for bytes that follows one for text gets UTF-8.

@throws {SettingError} If a stage is invalid, or does not take what the one before it gives.

@example
```ts
import {randomBytes} from 'node:crypto';
import {compressed, encrypted, HttpCache, SerializerPipeline} from 'got-cache-hooks';

const serializer = new SerializerPipeline(['json', compressed('zstd'), encrypted({key: randomBytes(32)})], {decodeContent: true});
const cache = new HttpCache({store: new Map(), serializer});
await cache.save({url: 'https://api.example.com/'}, {body: 'Hello'});
console.log((await cache.get({url: 'https://api.example.com/'}))?.text());
//=> Hello
```
*/
export class SerializerPipeline {
	/** The stages, with the format that the first one needs. */
	readonly stages: readonly Stage[];

	/** Whether bodies are stored as readable values; `undefined` leaves it to the setting. */
	readonly decodeContent: boolean | undefined;

	/** The kind of output of the last stage. */
	readonly gives: StageOutput;

	constructor(stages: readonly PipelineStage[], options: PipelineOptions = {}) {
		const {decodeContent} = parseOptions(pipelineParsers, options, 'options');
		if (!Array.isArray(stages)) {
			throw new SettingError('stages', stages, `an array, each item ${allowedSerializers}`);
		}

		const given = stages.map((stage: unknown, index) => checkedStage(stage, `stages[${index}]`));
		this.stages = Object.freeze(isFormat(given[0]) ? given : [formatStage('binary'), ...given]);
		for (const [index, stage] of this.stages.entries()) {
			checkFit(stage, this.stages[index - 1], `stages[${index}]`);
		}

		this.gives = this.stages.at(-1)!.gives;
		this.decodeContent = decodeContent;
	}

	/**
	Serializes a response.

	@throws {RangeError} If the response could not be read again: it is too large, or has too many values. A promise rejects with it.
	*/
	dumps(stored: StoredResponse, context: Omit<StageContext, 'fields'>): MaybePromise<Serialized> {
		const full: StageContext = {...context, fields: stored.fields};
		// The binary format is not readable by people.
		const isReadable = this.decodeContent === true && !this.#isBinary;
		let value = this.#formatted(stored, isReadable, full);
		for (const stage of this.stages.slice(1)) {
			value = then<Serialized, Serialized>(value, input => stage.dumps(convertInput(input, stage), full));
		}

		return value;
	}

	/**
	Restores a response.

	@throws {UnreadableError} If it is not an entry of this pipeline. A promise rejects with it.
	*/
	loads(serialized: unknown, context: StageContext): MaybePromise<StoredResponse> {
		try {
			let value: MaybePromise<unknown> = serialized;
			for (const stage of this.stages.toReversed()) {
				value = then(value, output => {
					const checked = checkedOutput(output, stage);
					if (stage === this.#format && isTooLarge(checked, context)) {
						throw new UnreadableError('too-large');
					}

					return stage.loads(checked as never, context);
				});
			}

			const stored = then(value, fromDocument);
			return stored instanceof Promise ? stored.catch(throwUnreadable) : stored;
		} catch (error) {
			return throwUnreadable(error);
		}
	}

	get #isBinary(): boolean {
		return this.#format === formatStage('binary');
	}

	get #format(): Stage {
		return this.stages[0]!;
	}

	/** Formats a response; with the bytes of its body if it would be too large with a readable one. */
	#formatted(stored: StoredResponse, isReadable: boolean, context: StageContext): MaybePromise<Serialized> {
		const document = toDocument(stored, isReadable, {omitsUndefined: this.#format.omitsUndefined, takesParts: this.#isBinary});
		if (!isWithinLimits(document)) {
			throw new RangeError('The entry has too many values, or is nested too deeply.');
		}

		return then<Serialized, Serialized>(this.#format.dumps(convertInput(document, this.#format), context), value => {
			if (!isTooLarge(value, context)) {
				return value;
			}

			if (isReadable) {
				return this.#formatted(stored, false, context);
			}

			throw new RangeError(`The entry is larger than the limit of ${context.maxBytes} bytes.`);
		});
	}
}

function isTooLarge(value: unknown, {maxBytes}: StageContext): boolean {
	return (typeof value === 'string' || value instanceof Uint8Array) && value.length > maxBytes;
}

/**
Creates the pipeline for the setting `serializer`.

@throws {SettingError} If the value is not a format, stage or pipeline.
@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE` if the package of a format is not installed.

@example
```ts
import {HttpCache, initSerializer} from 'got-cache-hooks';

const cache = new HttpCache({store: 'filesystem', serializer: initSerializer('json', {decodeContent: true})});
```
*/
export function initSerializer(serializer: PipelineStage | SerializerPipeline, options: PipelineOptions = {}): SerializerPipeline {
	const {decodeContent} = parseOptions(pipelineParsers, options, 'options');
	if (serializer instanceof SerializerPipeline) {
		return decodeContent !== undefined && serializer.decodeContent === undefined ? new SerializerPipeline(serializer.stages, {decodeContent}) : serializer;
	}

	return new SerializerPipeline([checkedStage(serializer, 'serializer')], {decodeContent});
}

/** Returns whether a value is a format, a stage or a pipeline. */
export function isSerializer(value: unknown): value is PipelineStage | SerializerPipeline {
	return value instanceof SerializerPipeline || formatNames.includes(value as FormatName) || isStage(value);
}

function checkedStage(value: unknown, path: string): Stage {
	if (formatNames.includes(value as FormatName)) {
		return formatStage(value as FormatName);
	}

	if (!isStage(value)) {
		throw new SettingError(path, value, allowedSerializers);
	}

	return value;
}

function isStage(value: unknown): value is Stage {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const {name, takes, gives, dumps, loads} = value as Record<string, unknown>;
	return typeof name === 'string'
		&& ['document', 'json', 'text', 'bytes'].includes(takes as string)
		&& ['document', 'text', 'bytes'].includes(gives as string)
		&& typeof dumps === 'function'
		&& typeof loads === 'function';
}

function isFormat(stage: Stage | undefined): boolean {
	return stage?.takes === 'document' || stage?.takes === 'json';
}

function checkFit(stage: Stage, previous: Stage | undefined, path: string): void {
	const gives = previous?.gives ?? 'document';
	const fits = gives === 'document' ? isFormat(stage) : stage.takes === gives || (gives === 'text' && stage.takes === 'bytes');
	if (!fits) {
		throw new SettingError(path, stage, `a stage that takes ${gives}, which the stage before it gives (\`${stage.name}\` takes ${stage.takes})`);
	}
}

function convertInput(value: Serialized, {takes}: Stage): Serialized {
	if (takes === 'json') {
		return toJsonDocument(value as EntryDocument);
	}

	return takes === 'bytes' && typeof value === 'string' ? Buffer.from(value) : value;
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention

/** Returns a stored value as the output of a stage. */
function checkedOutput(value: unknown, {gives}: Stage): unknown {
	const output = gives === 'text' && value instanceof Uint8Array ? utf8.decode(value) : value;
	const fits = gives === 'bytes' ? output instanceof Uint8Array : typeof output === (gives === 'text' ? 'string' : 'object');
	if (!fits) {
		throw new UnreadableError('format');
	}

	return output;
}

function throwUnreadable(error: unknown): never {
	throw error instanceof UnreadableError ? error : new UnreadableError('format', {cause: error});
}

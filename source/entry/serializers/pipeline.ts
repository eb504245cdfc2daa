import {Buffer} from 'node:buffer';
import {SettingError} from '../../errors.ts';
import {then, type MaybePromise} from '../../maybe-promise.ts';
import type {StoredResponse} from '../stored-response.ts';
import {fromDocument, toDocument, toJsonDocument} from './document.ts';
import {formatNames, formatStage, type FormatName} from './formats.ts';
import {isReadableAgain} from './parts.ts';
import type {
	EntryDocument,
	Serialized,
	Stage,
	StageContext,
	StageOutput,
} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

export type PipelineOptions = {
	/**
	Whether JSON and text bodies are stored as values that a person can read, where the same bytes come of them again. What is not given is as the setting `decodeContent` says.
	*/
	readonly decodeContent?: boolean | undefined;
};

/** A step of a pipeline: the name of a format, or a stage. */
export type PipelineStage = FormatName | Stage;

const allowed = `\`'${formatNames.join('\'`, `\'')}'\`, or a stage with \`name\`, \`takes\`, \`gives\`, \`dumps\` and \`loads\``;

/**
How stored responses become text, bytes or documents, and these stored responses again: stages, of which each takes what the one before it gives.

A pipeline that does not begin with a format begins with `'binary'`. A stage for bytes that follows one for text gets UTF-8.

@throws {SettingError} Where something is no stage, or does not fit what is before it.

@example
```
new SerializerPipeline(['json', compressed('zstd'), encrypted({key})], {decodeContent: true});
```
*/
export class SerializerPipeline {
	readonly stages: readonly Stage[];
	readonly decodeContent: boolean | undefined;

	/** What it gives in the end. */
	readonly gives: StageOutput;

	constructor(stages: readonly PipelineStage[], {decodeContent}: PipelineOptions = {}) {
		if (!Array.isArray(stages)) {
			throw new SettingError('stages', stages, `an array of ${allowed}`);
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
	A response as it is stored.

	@throws {RangeError} Where it could not be read again: it is too large, or made of too many values.
	*/
	dumps(stored: StoredResponse, context: Omit<StageContext, 'fields'>): MaybePromise<Serialized> {
		const full: StageContext = {...context, fields: stored.fields};
		// The library's own format has no form that a person could read.
		const isReadable = this.decodeContent === true && this.#format !== formatStage('binary');
		let value = this.#formatted(stored, isReadable, full);
		for (const stage of this.stages.slice(1)) {
			value = then<Serialized, Serialized>(value, input => stage.dumps(adapted(input, stage), full));
		}

		return value;
	}

	/**
	The response again.

	@throws {UnreadableError} For whatever is no entry of this pipeline; or the promise rejects with it.
	*/
	loads(serialized: unknown, context: StageContext): MaybePromise<StoredResponse> {
		try {
			let value: MaybePromise<unknown> = serialized;
			for (const stage of this.stages.toReversed()) {
				value = then(value, output => {
					const given = restoredFor(output, stage);
					if (stage === this.#format && isTooLarge(given, context)) {
						throw new UnreadableError('too-large');
					}

					return stage.loads(given as never, context);
				});
			}

			const stored = then(value, fromDocument);
			return stored instanceof Promise ? rejectingUnreadable(stored) : stored;
		} catch (error) {
			throw unreadable(error);
		}
	}

	get #format(): Stage {
		return this.stages[0]!;
	}

	/** What the format makes of it; where that is too large with a body that a person can read, of the body's bytes. */
	#formatted(stored: StoredResponse, isReadable: boolean, context: StageContext): MaybePromise<Serialized> {
		const document = toDocument(stored, isReadable);
		if (!isReadableAgain(document)) {
			throw new RangeError('The entry is made of more values than an entry may be');
		}

		return then<Serialized, Serialized>(this.#format.dumps(adapted(document, this.#format), context), value => {
			if (!isTooLarge(value, context)) {
				return value;
			}

			if (isReadable) {
				return this.#formatted(stored, false, context);
			}

			throw new RangeError('The entry is larger than an entry may be');
		});
	}
}

function isTooLarge(value: unknown, {maxBytes}: StageContext): boolean {
	return (typeof value === 'string' || value instanceof Uint8Array) && value.length > maxBytes;
}

/**
A pipeline of the setting `serializer`.

@throws {SettingError} For everything else.
@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE`, where the package of a format is not installed.

@example
```
initSerializer('yaml', {decodeContent: true});
```
*/
export function initSerializer(serializer: PipelineStage | SerializerPipeline, {decodeContent}: PipelineOptions = {}): SerializerPipeline {
	if (serializer instanceof SerializerPipeline) {
		return decodeContent !== undefined && serializer.decodeContent === undefined ? new SerializerPipeline(serializer.stages, {decodeContent}) : serializer;
	}

	return new SerializerPipeline([checkedStage(serializer, 'serializer')], {decodeContent});
}

function checkedStage(value: unknown, path: string): Stage {
	if (formatNames.includes(value as FormatName)) {
		return formatStage(value as FormatName);
	}

	if (!isStage(value)) {
		throw new SettingError(path, value, allowed);
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
		throw new SettingError(path, stage, `a stage that takes ${gives}, which the one before it gives (\`${stage.name}\` takes ${stage.takes})`);
	}
}

function adapted(value: Serialized, {takes}: Stage): Serialized {
	if (takes === 'json') {
		return toJsonDocument(value as EntryDocument);
	}

	return takes === 'bytes' && typeof value === 'string' ? Buffer.from(value) : value;
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention

/** What a stage gave, of what came back. */
function restoredFor(value: unknown, {gives}: Stage): unknown {
	const given = gives === 'text' && value instanceof Uint8Array ? utf8.decode(value) : value;
	const fits = gives === 'bytes' ? given instanceof Uint8Array : typeof given === (gives === 'text' ? 'string' : 'object');
	if (!fits) {
		throw new UnreadableError('format');
	}

	return given;
}

async function rejectingUnreadable(stored: Promise<StoredResponse>): Promise<StoredResponse> {
	try {
		return await stored;
	} catch (error) {
		throw unreadable(error);
	}
}

function unreadable(error: unknown): UnreadableError {
	return error instanceof UnreadableError ? error : new UnreadableError('format', {cause: error});
}

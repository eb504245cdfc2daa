/** A value with parameters, such as a media type (RFC 9110 §5.6.6). */
export type Parameterized = {
	/** What stands before the parameters, in lower case. */
	readonly value: string;

	/** What is neither, since the field is malformed. */
	readonly rest: string;
	readonly parameters: ReadonlyArray<readonly [name: string, value: string]>;
};

const parameter = /;\s*(?<name>[^\s";=]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s";]*))/gv;

/** Reads a field value with parameters. Their names are in lower case, their values as they are meant. */
export function parseParameters(field: string): Parameterized {
	const [value = '', ...others] = field.replaceAll(parameter, ';').split(';');
	return {
		value: value.trim().toLowerCase(),
		rest: others.map(other => other.trim()).filter(other => other !== '').join(';'),
		parameters: field.matchAll(parameter).map(({groups}) => [
			groups!.name!.toLowerCase(),
			groups!.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups!.token!,
		] as const).toArray(),
	};
}

import {fieldsOf, type StoredResponse} from '../entry/stored-response.ts';
import {toRecord} from '../errors.ts';
import {unknownBody} from '../identity/sent-request.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {fieldValue, type Fields} from '../policy/fields.ts';
import type {ExchangeState} from './state.ts';

/** A part in which a request differs from a recorded one, and how much that means. */
type Difference = {readonly part: string; readonly weight: number; readonly isCredential?: true};

// A store may have any number of entries, and somebody waits for the error.
const maxCompared = 10_000;
const maxMilliseconds = 2000;

/** Says in sentences why a replay has no response: which recording comes nearest, and in which parts it differs. Credentials are named, and not shown. */
export async function describeMissing(state: ExchangeState): Promise<string> {
	const {key, settings, identity, redactedUrl} = state;
	if (key === undefined) {
		return whyUnrecordable(state);
	}

	const request = {...await identity.stored(settings.secret), url: redactedUrl};
	let nearest: {readonly stored: StoredResponse; readonly differences: readonly Difference[]} | undefined;
	let compared = 0;
	const end = performance.now() + maxMilliseconds;
	try {
		for await (const {stored} of state.cache.managedEntries.inspect()) {
			if (stored?.request === undefined) {
				continue;
			}

			const differences = differencesOf(request, stored, settings.matchHeaders);
			if (nearest === undefined || weightOf(differences) < weightOf(nearest.differences)) {
				nearest = {stored, differences};
			}

			compared++;
			if (compared === maxCompared || performance.now() > end) {
				break;
			}
		}
	} catch {
		// Some stores cannot list what they have.
		return toRecord;
	}

	return nearest === undefined ? `Nothing is recorded yet. ${toRecord}` : describe(nearest.stored, nearest.differences, key);
}

function whyUnrecordable({request, settings}: ExchangeState): string {
	if (settings.disabled) {
		return 'The request is not recorded, because of `disabled`.';
	}

	return request.body === unknownBody ? 'Its body is a stream, so that it cannot be recorded.' : 'It cannot be recorded, because `keyFn` returns no key for it.';
}

function describe({request, url}: StoredResponse, differences: readonly Difference[], key: string): string {
	const name = `\`${methodOf(request!.method)} ${url}\``;
	const number = / #(?<number>\d+)$/v.exec(key)?.groups!.number;
	if (differences.length === 0) {
		return number === undefined
			? `The nearest recording is that of ${name}, which differs in a header in the key, or in its settings. ${toRecord}`
			: `All recordings of the request have been replayed: this is request ${number} of its kind. Record it with \`mode: {name: 'record-missing', allowPlaybackRepeats: false}\`, or allow repeats.`;
	}

	const advice = differences.every(({isCredential}) => isCredential === true) ? `${toRecord} To replay it with any credential or none, record and replay with \`partitionBy: false\`.` : toRecord;
	return `The nearest recording is that of ${name}, which differs in ${list(differences.map(({part}) => part))}. ${advice}`;
}

const maxNamed = 6;

function list(parts: readonly string[]): string {
	const named = parts.length > maxNamed ? [...parts.slice(0, maxNamed), `${parts.length - maxNamed} more`] : parts;
	return named.length === 1 ? named[0]! : `${named.slice(0, -1).join(', ')} and ${named.at(-1)!}`;
}

function weightOf(differences: readonly Difference[]): number {
	return differences.reduce((sum, {weight}) => sum + weight, 0);
}

/** Returns the differences of a redacted request from that of a recording. */
function differencesOf(request: StoredRequest, stored: StoredResponse, matchHeaders: boolean | readonly string[]): readonly Difference[] {
	const recorded = {...stored.request!, url: stored.url};
	return [
		...differ('the method', 60, methodOf(request.method), methodOf(recorded.method)),
		...urlDifferences(new URL(request.url), new URL(recorded.url)),
		...headerDifferences(fieldsOf(request.rawHeaders), fieldsOf(recorded.rawHeaders), matchHeaders, stored.vary?.names ?? []),
		...bodyDifferences(request, recorded),
		...credentialDifferences(request.partition, recorded.partition),
	];
}

function methodOf(method: string): string {
	return method.split(':', 1)[0]!;
}

function differ(part: string, weight: number, one: string | undefined, other: string | undefined): readonly Difference[] {
	return one === other ? [] : [{part, weight}];
}

function urlDifferences(url: URL, recorded: URL): readonly Difference[] {
	return [
		...differ('the host', 100, url.origin, recorded.origin),
		...pathDifferences(url.pathname.split('/'), recorded.pathname.split('/')),
		...namedDifferences('the query parameter', 10, valuesOf(url.searchParams), valuesOf(recorded.searchParams)),
	];
}

function pathDifferences(path: readonly string[], recorded: readonly string[]): readonly Difference[] {
	const length = Math.max(path.length, recorded.length);
	const different = Array.from({length}, (_, index) => path[index] === recorded[index]).filter(isSame => !isSame).length;
	return different === 0 ? [] : [{part: 'the path', weight: 30 + Math.min(different, 20)}];
}

function valuesOf(parameters: URLSearchParams): ReadonlyMap<string, string> {
	return new Map(parameters.keys().map(name => [name, JSON.stringify(parameters.getAll(name))]));
}

/** Returns the names whose values differ, or that only one side has. */
function namedDifferences(kind: string, weight: number, values: ReadonlyMap<string, string>, recorded: ReadonlyMap<string, string>): Difference[] {
	const names = new Set([...values.keys(), ...recorded.keys()]);
	return [...names].filter(name => values.get(name) !== recorded.get(name)).map(name => ({part: `${kind} \`${name}\`${presence(values.has(name), recorded.has(name))}`, weight}));
}

function presence(isRequested: boolean, isRecorded: boolean): string {
	if (isRequested && isRecorded) {
		return '';
	}

	return isRequested ? ' (not recorded)' : ' (recorded only)';
}

// Recordings that people read leave these headers out.
const unwritten = new Set(['accept-encoding', 'content-length', 'content-type', 'host', 'user-agent']);

function headerDifferences(fields: Fields, recorded: Fields, matchHeaders: boolean | readonly string[], vary: readonly string[]): readonly Difference[] {
	const all = [...Object.keys(fields), ...Object.keys(recorded)].filter(name => !unwritten.has(name));
	const names = [...new Set([...(typeof matchHeaders === 'boolean' ? (matchHeaders ? all : []) : matchHeaders), ...vary])];
	const values = (of: Fields): ReadonlyMap<string, string> => new Map(names.flatMap(name => fieldValue(of, name) === undefined ? [] : [[name, fieldValue(of, name)!] as const]));
	return namedDifferences('the header', 5, values(fields), values(recorded));
}

function bodyDifferences({body, bodyParts}: StoredRequest, recorded: StoredRequest): readonly Difference[] {
	return body !== undefined && recorded.body !== undefined ? jsonDifferences(body, recorded.body) : differ('the body', 20, body ?? JSON.stringify(bodyParts), recorded.body ?? JSON.stringify(recorded.bodyParts));
}

/** Names the members of a JSON body that differ. */
function jsonDifferences(body: string, recorded: string): readonly Difference[] {
	if (body === recorded) {
		return [];
	}

	try {
		const paths = differentPaths(JSON.parse(body), JSON.parse(recorded), '$');
		return paths.map(path => ({part: `the member \`${path}\` of the body`, weight: 8}));
	} catch {
		return [{part: 'the body', weight: 20}];
	}
}

const maxDepth = 20;

function differentPaths(one: unknown, other: unknown, path: string): readonly string[] {
	if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other) || path.split('.').length > maxDepth) {
		return JSON.stringify(one) === JSON.stringify(other) ? [] : [path];
	}

	const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
	return names.flatMap(name => differentPaths(one[name], other[name], `${path}.${name}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}

type Partition = StoredRequest['partition'];

function credentialDifferences(partition: Partition, recorded: Partition): readonly Difference[] {
	if (partition?.digest === recorded?.digest) {
		return [];
	}

	const own = namesIn(partition);
	const known = namesIn(recorded);
	const names = [...own.union(known)];
	const different = names.filter(name => !own.has(name) || !known.has(name));
	return (different.length === 0 ? names : different).map(name => ({part: `${name}${presence(own.has(name), known.has(name))}`, weight: 3, isCredential: true}));
}

function namesIn(partition: Partition): ReadonlySet<string> {
	return new Set((partition?.parts ?? []).map(([where, name]) => nameOfPart(where, name)));
}

function nameOfPart(where: string, name: string): string {
	switch (where) {
		case 'tenant': {
			return 'what `partitionBy` returns';
		}

		case 'user info': {
			return 'the user info of the URL';
		}

		case 'body': {
			return 'a body that may contain a credential';
		}

		case 'json': {
			return `the credential \`${(JSON.parse(name) as readonly unknown[]).join('.')}\` of the body`;
		}

		case 'query':
		case 'path': {
			return `the credential \`${name}\` of the ${where}`;
		}

		case 'form':
		case 'multipart': {
			return `the credential \`${name}\` of the form`;
		}

		default: {
			return `the credential in the header \`${name}\``;
		}
	}
}

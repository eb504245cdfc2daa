import {Buffer} from 'node:buffer';
import {constants, hash, randomUUID} from 'node:crypto';
import tls, {checkServerIdentity} from 'node:tls';
import {warnOnce} from '../warnings.ts';

/** Options by name. */
export type Values = Readonly<Record<string, unknown>>;

/** An option of `tls.connect`. */
type TlsOption = {
	readonly name: string;

	/** Returns whether a value is the default of Node.js, or means the same. */
	readonly isStandard?: (value: unknown) => boolean;

	/** Returns the default of the process, which command-line options, variables and assignments can change. */
	readonly processDefault?: () => unknown;
};

// Of two equal strings, this is the one that options have: to compare another one, Node.js would read all of its characters.
const standardCiphers = tls.DEFAULT_CIPHERS === constants.defaultCoreCipherList ? tls.DEFAULT_CIPHERS : constants.defaultCoreCipherList;

const withoutStandard = {};

function standard(value: unknown, processDefault?: () => unknown): Omit<TlsOption, 'name'> {
	return {isStandard: given => given === value, ...(processDefault !== undefined && {processDefault})};
}

/** The options that decide which servers a client trusts and which identity it presents, except for `servername`, whose default depends on the request. */
export const tlsOptions: readonly TlsOption[] = Object.entries<Omit<TlsOption, 'name'>>({
	allowPartialTrustChain: standard(false),
	ca: withoutStandard,
	cert: withoutStandard,
	// Got always passes that of Node.js if the user has none.
	checkServerIdentity: standard(checkServerIdentity),
	ciphers: standard(standardCiphers, () => tls.DEFAULT_CIPHERS),
	clientCertEngine: withoutStandard,
	crl: withoutStandard,
	dhparam: withoutStandard,
	ecdhCurve: standard('auto', () => tls.DEFAULT_ECDH_CURVE),
	key: withoutStandard,
	maxVersion: standard('TLSv1.3', () => tls.DEFAULT_MAX_VERSION),
	minDHSize: standard(1024), // eslint-disable-line @typescript-eslint/naming-convention -- Node.js's name.
	minVersion: standard('TLSv1.2', () => tls.DEFAULT_MIN_VERSION),
	pfx: withoutStandard,
	privateKeyEngine: withoutStandard,
	privateKeyIdentifier: withoutStandard,
	pskCallback: withoutStandard,
	rejectUnauthorized: {isStandard: value => value !== false},
	secureContext: withoutStandard,
	secureOptions: standard(0),
	secureProtocol: withoutStandard,
	sigalgs: withoutStandard,
}).map(([name, option]) => ({name, ...option}));

/** Returns whether the defaults of the process are those of Node.js. */
export function hasStandardDefaults(): boolean {
	return tls.checkServerIdentity === checkServerIdentity
		&& tlsOptions.every(({isStandard, processDefault}) => processDefault === undefined || isStandard!(processDefault()));
}

/** Returns whether no option differs from the default of Node.js. */
export function areStandard(values: Values): boolean {
	return values.servername === undefined && tlsOptions.every(({name, isStandard}) => {
		const value = values[name];
		return value === undefined || isStandard?.(value) === true;
	});
}

/**
Returns the digests of a value, which may be a list, and whose items may be objects such as `{pem, passphrase}` or `{buf, passphrase}`.

@param trust - The setting `trust`, the name of values that cannot be read.
*/
export function digestsOf(value: unknown, trust: string | undefined): readonly string[] {
	if (typeof value === 'string') {
		return cachedDigests(ofTexts, value, () => blocksOf(value).map(block => hash('sha256', block, 'hex')));
	}

	if (ArrayBuffer.isView(value)) {
		const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
		const digest = hash('sha256', bytes, 'hex');
		return bytes.includes('-----BEGIN ') ? cachedDigests(ofBytes, digest, () => digestsOf(bytes.toString('latin1'), trust)) : [digest];
	}

	if (Array.isArray(value)) {
		return value.flatMap(item => digestsOf(item, trust));
	}

	if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
		return [textOf(value)];
	}

	const {pem, buf, buffer} = value as Values;
	const parts = [pem, buf, buffer].filter(part => part !== undefined);
	return parts.length > 0 ? parts.flatMap(part => digestsOf(part, trust)) : [nameOf(value, trust)];
}

/** Returns the text of a primitive value. Node.js refuses values of other types. */
export function textOf(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

const pemBlock = /^-----BEGIN (?<label>[^\n\-]+)-----\n.+?\n-----END \k<label>-----$/gmsv;

/** Returns the blocks of a PEM text, and the rest: the same certificates may be in one text or in several. */
function blocksOf(text: string): readonly string[] {
	const lines = text.replaceAll(/\r(?=\n)/gv, '');
	const rest = lines.replaceAll(pemBlock, '').trim();
	return [...lines.match(pemBlock) ?? [], ...(rest === '' ? [] : [rest])];
}

type Digests = Map<string, readonly string[]>;

const ofTexts: Digests = new Map();

/** The digests by that of the bytes, which the user may change in place. */
const ofBytes: Digests = new Map();

/** Returns digests that were calculated before: bundles of certificates are long, and the same for each request. */
function cachedDigests(digests: Digests, text: string, calculate: () => readonly string[]): readonly string[] {
	const known = digests.get(text);
	if (known !== undefined) {
		return known;
	}

	if (digests.size >= 100) {
		digests.clear();
	}

	const calculated = calculate();
	digests.set(text, calculated);
	return calculated;
}

const ids = new WeakMap<object, string>();
const processId = randomUUID();
let count = 0;

/** Returns a name for a function or an object that cannot be read: the setting `trust` if it is given, otherwise an ID that is valid in this process only. */
function nameOf(value: object, trust: string | undefined): string {
	if (trust !== undefined) {
		return `named ${trust}`;
	}

	warnOnce('GOT_CACHE_UNKNOWN_TRUST', 'A function that checks a server, or a secure context, cannot be identified in another process, so that its responses are shared in this process only');
	const id = ids.get(value) ?? `${processId} ${count++}`;
	ids.set(value, id);
	return id;
}

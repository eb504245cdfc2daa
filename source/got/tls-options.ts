import {Buffer} from 'node:buffer';
import {hash, randomUUID, constants} from 'node:crypto';
import process from 'node:process';
import tls, {checkServerIdentity} from 'node:tls';

/** The digests of a value, which may be a list, whose items may be objects such as `{pem, passphrase}` or `{buf, passphrase}`. */
export function digestsOf(value: unknown, name: string | undefined): readonly string[] {
	if (typeof value === 'string') {
		return remembered(ofTexts, value, () => blocksOf(value).map(block => hash('sha256', block, 'hex')));
	}

	if (ArrayBuffer.isView(value)) {
		const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
		const digest = hash('sha256', bytes, 'hex');
		return bytes.includes('-----BEGIN ') ? remembered(ofBytes, digest, () => digestsOf(bytes.toString('latin1'), name)) : [digest];
	}

	if (Array.isArray(value)) {
		return value.flatMap(item => digestsOf(item, name));
	}

	if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
		return [textOf(value)];
	}

	const {pem, buf, buffer} = value as Values;
	const inner = [pem, buf, buffer].filter(part => part !== undefined);
	return inner.length > 0 ? inner.flatMap(part => digestsOf(part, name)) : [nameOf(value, name)];
}

const pemBlock = /^-----BEGIN (?<label>[^\n\-]+)-----\n.+?\n-----END \k<label>-----$/gmsv;

/** What is none of the values that Node.js takes is for Node.js to refuse. */
export function textOf(value: unknown): string {
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

/** What a text in the form of PEM holds, and what else is in it: one text may hold what another way to write it has in several. */
function blocksOf(text: string): readonly string[] {
	const lines = text.replaceAll(/\r(?=\n)/gv, '');
	const rest = lines.replaceAll(pemBlock, '').trim();
	return [...lines.match(pemBlock) ?? [], ...(rest === '' ? [] : [rest])];
}

type Digests = Map<string, readonly string[]>;

const ofTexts: Digests = new Map();

/** By the digest of the bytes, which somebody may change. */
const ofBytes: Digests = new Map();

/** Bundles of certificates are long, and the same for each request. */
function remembered(digests: Digests, text: string, digest: () => readonly string[]): readonly string[] {
	const known = digests.get(text);
	if (known !== undefined) {
		return known;
	}

	if (digests.size >= 100) {
		digests.clear();
	}

	const made = digest();
	digests.set(text, made);
	return made;
}

const ids = new WeakMap<object, string>();
const ofThisProcess = randomUUID();
let count = 0;

/** A function or an object that cannot be looked into: it is the same across processes by its name alone. */
function nameOf(value: object, name: string | undefined): string {
	if (name !== undefined) {
		return `named ${name}`;
	}

	warn('A function that checks a server, or a secure context, cannot be recognised in another process, so that responses are shared within this one alone');
	const id = ids.get(value) ?? `${ofThisProcess} ${count++}`;
	ids.set(value, id);
	return id;
}

let isWarned = false;

/** Tells once what cannot be looked into. */
export function warn(message: string): void {
	if (isWarned) {
		return;
	}

	isWarned = true;
	process.emitWarning(`${message}. Name it by the cache setting \`trust\`.`, {code: 'GOT_CACHE_UNKNOWN_TRUST'});
}

/** Options by name. */
export type Values = Readonly<Record<string, unknown>>;

/** An option of `tls.connect`. */
type TlsOption = {
	/** Whether a value is what Node.js has by itself, or means the same. */
	readonly isStandard?: (value: unknown) => boolean;

	/** What counts where nobody sets it: command-line options, variables and assignments change the defaults of a whole process. */
	readonly unset?: () => unknown;
};

// Of two strings that are equal, the very one that is compared: it is as long as a page.
const standardCiphers = tls.DEFAULT_CIPHERS === constants.defaultCoreCipherList ? tls.DEFAULT_CIPHERS : constants.defaultCoreCipherList;

const never: TlsOption = {};

function standard(value: unknown, unset?: () => unknown): TlsOption {
	return {isStandard: given => given === value, ...(unset !== undefined && {unset})};
}

/** The options that decide whom the client believes and as whom it speaks, but for `servername`, whose default depends on the request. */
export const tlsOptions: ReadonlyArray<readonly [name: string, option: TlsOption]> = Object.entries({
	allowPartialTrustChain: standard(false),
	ca: never,
	cert: never,
	// Got always gives Node's own where the user has none.
	checkServerIdentity: standard(checkServerIdentity),
	ciphers: standard(standardCiphers, () => tls.DEFAULT_CIPHERS),
	clientCertEngine: never,
	crl: never,
	dhparam: never,
	ecdhCurve: standard('auto', () => tls.DEFAULT_ECDH_CURVE),
	key: never,
	maxVersion: standard('TLSv1.3', () => tls.DEFAULT_MAX_VERSION),
	minDHSize: standard(1024), // eslint-disable-line @typescript-eslint/naming-convention -- Node.js's name.
	minVersion: standard('TLSv1.2', () => tls.DEFAULT_MIN_VERSION),
	pfx: never,
	privateKeyEngine: never,
	privateKeyIdentifier: never,
	pskCallback: never,
	rejectUnauthorized: {isStandard: value => value !== false},
	secureContext: never,
	secureOptions: standard(0),
	secureProtocol: never,
	sigalgs: never,
});

/** Whether nobody has changed the defaults of the process. */
export function hasStandardDefaults(): boolean {
	return tls.checkServerIdentity === checkServerIdentity
		&& tls.DEFAULT_CIPHERS === standardCiphers
		&& tls.DEFAULT_ECDH_CURVE === 'auto'
		&& tls.DEFAULT_MIN_VERSION === 'TLSv1.2'
		&& tls.DEFAULT_MAX_VERSION === 'TLSv1.3';
}

/** Whether none of the options is set, but for the function that Got always gives. */
export function isUnset(values: Values): boolean {
	return believesAsUsual(values) && showsNothing(values);
}

function believesAsUsual(values: Values): boolean {
	return values.rejectUnauthorized === undefined
		&& (values.checkServerIdentity === undefined || values.checkServerIdentity === checkServerIdentity)
		&& values.ca === undefined
		&& values.crl === undefined
		&& values.servername === undefined
		&& values.minVersion === undefined
		&& values.maxVersion === undefined
		&& values.ciphers === undefined
		&& values.sigalgs === undefined
		&& values.dhparam === undefined
		&& values.ecdhCurve === undefined
		&& values.minDHSize === undefined
		&& values.secureOptions === undefined
		&& values.secureProtocol === undefined
		&& values.secureContext === undefined
		&& values.allowPartialTrustChain === undefined;
}

function showsNothing(values: Values): boolean {
	return values.cert === undefined
		&& values.key === undefined
		&& values.pfx === undefined
		&& values.pskCallback === undefined
		&& values.clientCertEngine === undefined
		&& values.privateKeyEngine === undefined
		&& values.privateKeyIdentifier === undefined;
}

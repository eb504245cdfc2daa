import {hash, randomUUID} from 'node:crypto';
import {globalAgent} from 'node:https';
import process from 'node:process';
import tls from 'node:tls';
import type {Options} from 'got';
import type {NativeOptions} from './native-request.ts';

/** Whether a value is the default, or means the same. */
type IsDefault = (value: unknown, hostnames: readonly string[]) => boolean;

type Values = Readonly<Record<string, unknown>>;

/** The name of an option, and digests of its values. */
type Part = readonly [name: string, ...digests: string[]];

type Naming = {
	/** The target URI. */
	readonly target: string;

	/** The setting `trust`, which stands for what cannot be looked into. */
	readonly name: string | undefined;
};

const never: IsDefault = () => false;

/** The options of `tls.connect` that decide whom the client believes and as whom it speaks. */
const tlsOptions: ReadonlyArray<readonly [name: string, isDefault: IsDefault]> = Object.entries<IsDefault>({
	allowPartialTrustChain: value => value === false,
	ca: never,
	cert: never,
	// Got always gives Node's own where the user has none.
	checkServerIdentity: value => value === tls.checkServerIdentity,
	ciphers: value => value === tls.DEFAULT_CIPHERS,
	clientCertEngine: never,
	crl: never,
	dhparam: never,
	ecdhCurve: value => value === tls.DEFAULT_ECDH_CURVE,
	key: never,
	maxVersion: value => value === 'TLSv1.3',
	minVersion: value => value === 'TLSv1.2',
	pfx: never,
	privateKeyEngine: never,
	privateKeyIdentifier: never,
	pskCallback: never,
	rejectUnauthorized: value => value !== false,
	secureContext: never,
	secureOptions: value => value === 0,
	secureProtocol: never,
	servername: (value, hostnames) => hostnames.includes(value as string),
	sigalgs: never,
});

/**
A digest of the TLS settings that decide whom the client believes and as whom it speaks: a response that a request accepted may not answer one that is stricter.

The settings of the request, of its agent (of a subclass such as a proxy's, its `options`), of Node's global agent and of the process count.

@returns `undefined` where they are the defaults, and for `http:`.
*/
export function trustOf(url: URL, native: NativeOptions, {request, createConnection, h2session}: Pick<Options, 'request' | 'createConnection' | 'h2session'>, naming: Naming): string | undefined {
	if (url.protocol !== 'https:') {
		return undefined;
	}

	const {target, name} = naming;
	const hostnames = [url.hostname, new URL(target).hostname];
	const parts: Part[] = ofProcess();
	for (const source of [native as Values, ...agentOptions(native.agent)]) {
		for (const [option, isDefault] of tlsOptions) {
			const value = source[option];
			if (value !== undefined && value !== null && !isDefault(value, hostnames)) {
				parts.push([option, ...digestsOf(value, name)]);
			}
		}
	}

	if (request !== undefined || createConnection !== undefined || h2session !== undefined) {
		parts.push(...unknownPart(name));
	}

	return parts.length === 0 ? undefined : hash('sha256', JSON.stringify(meaningful(parts)), 'hex');
}

/** The TLS settings of Got's options, by the names that Node.js has for them: as in `createNativeRequestOptions()`, for a request that is not sent. */
export function tlsOptionsOf({https, agent}: Pick<Options, 'https' | 'agent'>): NativeOptions {
	const {certificateAuthority, certificate, certificateRevocationLists, serverName, signatureAlgorithms, ...others} = https;
	const native: NativeOptions & Values = {
		...others,
		ca: certificateAuthority,
		cert: certificate,
		crl: certificateRevocationLists,
		servername: serverName,
		sigalgs: signatureAlgorithms,
		agent: agent.https,
	};
	return native;
}

/** A private key alone is shown to nobody. What an agent and its request say alike counts once. */
function meaningful(parts: ReadonlyArray<readonly string[]>): readonly string[] {
	const hasCertificate = parts.some(([name]) => name === 'cert' || name === 'pfx');
	const counted = parts.filter(([name]) => name !== 'key' || hasCertificate);
	return [...new Set(counted.map(part => JSON.stringify(part)))].toSorted();
}

/** Command-line options and variables change the defaults of a whole process. */
function ofProcess(): Part[] {
	const isUnverified = process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
	return [
		...(isUnverified ? [['rejectUnauthorized', 'false']] as const : []),
		...(tls.DEFAULT_MIN_VERSION === 'TLSv1.2' ? [] : [['minVersion', tls.DEFAULT_MIN_VERSION]] as const),
	];
}

/** Node.js keeps an agent's options in `options`; Got may give an agent for each protocol. */
function agentOptions(agent: unknown): readonly Values[] {
	const agents: unknown[] = agent === undefined ? [globalAgent] : [agent, ...Object.values<unknown>(new Object(agent) as Values)];
	return agents.map(candidate => isObject(candidate) ? candidate.options : undefined).filter(candidate => isObject(candidate));
}

function isObject(value: unknown): value is Values {
	return typeof value === 'object' && value !== null;
}

/** The digests of a value, which may be a list, whose items may be objects such as `{pem, passphrase}` or `{buf, passphrase}`. */
function digestsOf(value: unknown, name: string | undefined): string[] {
	if (typeof value === 'string' || value instanceof Uint8Array) {
		return [hash('sha256', value, 'hex')];
	}

	if (Array.isArray(value)) {
		return value.flatMap(item => digestsOf(item, name));
	}

	const {pem, buf, buffer} = new Object(value) as Record<string, unknown>;
	const inner = [pem, buf, buffer].filter(part => part !== undefined);
	return inner.length > 0 ? inner.flatMap(part => digestsOf(part, name)) : [typeof value === 'object' || typeof value === 'function' ? nameOf(value!, name) : JSON.stringify(value)];
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

/** What connects in a way of its own counts as the default, unless it is named. */
function unknownPart(name: string | undefined): Part[] {
	if (name !== undefined) {
		return [['connection', name]];
	}

	warn('Whom a `request` function, `createConnection` or `h2session` believes cannot be known, so that its responses are shared with requests by the default TLS settings');
	return [];
}

let isWarned = false;

function warn(message: string): void {
	if (isWarned) {
		return;
	}

	isWarned = true;
	process.emitWarning(`${message}. Name it by the cache setting \`trust\`.`, {code: 'GOT_CACHE_UNKNOWN_TRUST'});
}

import {hash} from 'node:crypto';
import https from 'node:https';
import {isIP} from 'node:net';
import process from 'node:process';
import type {Options} from 'got';
import type {SentRequest} from '../identity/sent-request.ts';
import {warnOnce} from '../warnings.ts';
import type {NativeOptions} from './native-request.ts';
import {
	areStandard,
	digestsOf,
	hasStandardDefaults,
	textOf,
	tlsOptions,
	type Values,
} from './tls-options.ts';

/** The options of Got with which a user connects by own code. */
export type ConnectingOptions = Pick<Options, 'request' | 'createConnection' | 'h2session'>;

/**
Returns a digest of the TLS settings that decide which servers the client trusts and which identity it presents: a response that one request accepted must not answer a request with stricter settings.

The settings of the request, of its agent (of a subclass such as a proxy's, its `options`), of Node's global agent and of the process count, each where Node.js uses them.

@param trust - The setting `trust`, the name of settings that cannot be read.
@returns `undefined` for the default settings, and for `http:`.
*/
export function trustOf(sent: SentRequest, native: NativeOptions, {request, createConnection, h2session}: ConnectingOptions, trust: string | undefined): string | undefined {
	if (!sent.url.startsWith('https:')) {
		return undefined;
	}

	const connectsByUserCode = request !== undefined || createConnection !== undefined || h2session !== undefined;
	const options = native as Values;
	if (!connectsByUserCode && hasDefaults(sent, options)) {
		return undefined;
	}

	const differences = connectionsOf(sent, options).map(connection => differencesOf(connection, trust));
	if (connectsByUserCode) {
		differences.push(unknownDifferences(trust));
	}

	// An option replaces the variable even if it is `undefined`, as Got passes it. User code may leave it out.
	if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0' && options.rejectUnauthorized === undefined && (connectsByUserCode || !Object.hasOwn(options, 'rejectUnauthorized'))) {
		differences.push([['rejectUnauthorized', 'false']]);
	}

	const distinct = new Set(differences.filter(({length}) => length > 0).map(difference => JSON.stringify(difference)));
	return distinct.size === 0 ? undefined : hash('sha256', JSON.stringify([...distinct].toSorted()), 'hex');
}

/** Returns the TLS settings of Got's options, by the names of Node.js: as in `createNativeRequestOptions()`, for a request that is not sent. */
export function tlsOptionsOf(options: Pick<Options, 'https' | 'agent' | 'http2'>): NativeOptions {
	const {certificateAuthority, certificate, certificateRevocationLists, serverName, signatureAlgorithms, ...others} = options.https;
	const native: NativeOptions & Values = {
		...others,
		ca: certificateAuthority,
		cert: certificate,
		crl: certificateRevocationLists,
		servername: serverName,
		sigalgs: signatureAlgorithms,
		agent: options.http2 ? {...options.agent} : options.agent.https,
	};
	return native;
}

/** Returns whether all options have their defaults, as in most requests, without reading more than that takes. */
function hasDefaults({fields}: SentRequest, native: Values): boolean {
	const {agent} = native;
	return areStandard(native)
		&& Object.hasOwn(native, 'rejectUnauthorized')
		// With HTTP/2, the name of the server may differ from `Host`.
		&& (fields.host === undefined || !isAgentPerProtocol(agent))
		&& agentOptionsOf(agent).every(values => areStandard(values))
		&& hasStandardDefaults();
}

/** A connection by which a request may be sent. */
type Connection = {
	readonly native: Values;

	/** The options of the agent, which take precedence over those of the request, even if they are `undefined`. */
	readonly agentOptions: Values;

	/** The default name of the server, and the one that HTTP/1.1 has. */
	readonly serverName: string;
	readonly standardName: string;
};

function connectionsOf({url, fields}: SentRequest, native: Values): readonly Connection[] {
	const hostname = new URL(url).hostname.replaceAll(/^\[|\]$/gv, '');
	const standardName = serverNameOf(hostname, fields.host);
	const connection = (agentOptions: Values, serverName = standardName): Connection => ({
		native, agentOptions, serverName, standardName,
	});
	if (isAgentPerProtocol(native.agent)) {
		// Got connects without an agent to negotiate the protocol.
		const nameByUrl = serverNameOf(hostname, undefined);
		const [ofHttp2, ofHttps] = agentOptionsOf(native.agent) as [Values, Values];
		return [connection({}, nameByUrl), connection(ofHttp2, nameByUrl), connection(ofHttps)];
	}

	return agentOptionsOf(native.agent).map(agentOptions => connection(agentOptions));
}

/** Returns the options of the agents that may send a request. */
function agentOptionsOf(agent: unknown): readonly Values[] {
	return isAgentPerProtocol(agent) ? [optionsOf(agent.http2), optionsOf(agent.https ?? https.globalAgent)] : [optionsOf(agent ?? https.globalAgent)];
}

/** Returns whether there is an agent for each protocol, as Got passes them for HTTP/2. */
function isAgentPerProtocol(agent: unknown): agent is Values {
	return isObject(agent) && Object.getPrototypeOf(agent) === Object.prototype;
}

function optionsOf(agent: unknown): Values {
	return isObject(agent) && isObject(agent.options) ? agent.options : {};
}

function isObject(value: unknown): value is Values {
	return typeof value === 'object' && value !== null;
}

/** Returns the name of the server that Node.js derives from `Host`. */
function serverNameOf(hostname: string, host: unknown): string {
	const given = typeof host === 'string' && host !== '' ? (/^\[(?<address>[^\]]*)\]/v.exec(host)?.groups?.address ?? host.split(':', 1)[0]!) : hostname;
	return isIP(given) === 0 ? given.toLowerCase() : '';
}

/** The name of an option that differs from its default, and the digests of its values. */
type Difference = readonly [name: string, ...digests: string[]];

function differencesOf({native, agentOptions, serverName, standardName}: Connection, trust: string | undefined): readonly Difference[] {
	const differences: Difference[] = [];
	const valueOf = (option: string): unknown => Object.hasOwn(agentOptions, option) ? agentOptions[option] : native[option];
	for (const {name, isStandard, processDefault} of tlsOptions) {
		const value = valueOf(name) ?? processDefault?.();
		if (value === undefined || isStandard?.(value) === true) {
			continue;
		}

		const digests = digestsOf(value, trust);
		differences.push([name, ...(name === 'ca' || name === 'crl' ? digests.toSorted() : digests)]);
	}

	const usedName = textOf(valueOf('servername') ?? serverName).toLowerCase();
	if (usedName !== standardName) {
		differences.push(['servername', usedName]);
	}

	// Without a certificate, a private key is not presented.
	return differences.length === 0 || differences.some(([option]) => option === 'cert' || option === 'pfx') ? differences : differences.filter(([option]) => option !== 'key');
}

/** User code that connects counts as the default, unless it is named. */
function unknownDifferences(trust: string | undefined): readonly Difference[] {
	if (trust !== undefined) {
		return [['connection', trust]];
	}

	warnOnce('GOT_CACHE_UNKNOWN_TRUST', 'The TLS settings of a `request` function, `createConnection` or `h2session` cannot be read, so that its responses are shared with requests that have the default TLS settings');
	return [];
}

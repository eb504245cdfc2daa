import {hash} from 'node:crypto';
import https from 'node:https';
import {isIP} from 'node:net';
import process from 'node:process';
import type {Options} from 'got';
import type {SentRequest} from '../identity/sent-request.ts';
import type {NativeOptions} from './native-request.ts';
import {
	hasStandardDefaults,
	isUnset,
	tlsOptions,
	type Values,
	digestsOf,
	textOf,
	warn,
} from './tls-options.ts';

/** The options of Got that connect in a way of their own. */
export type ConnectingOptions = Pick<Options, 'request' | 'createConnection' | 'h2session'>;

/**
A digest of the TLS settings that decide whom the client believes and as whom it speaks: a response that a request accepted may not answer one that is stricter.

The settings of the request, of its agent (of a subclass such as a proxy's, its `options`), of Node's global agent and of the process count, each where Node.js lets it count.

@param name - The setting `trust`, which stands for what cannot be looked into.
@returns `undefined` where they are the defaults, and for `http:`.
*/
export function trustOf(sent: SentRequest, native: NativeOptions, {request, createConnection, h2session}: ConnectingOptions, name: string | undefined): string | undefined {
	if (!sent.url.startsWith('https:')) {
		return undefined;
	}

	const isOwn = request !== undefined || createConnection !== undefined || h2session !== undefined;
	const options = native as Values;
	if (!isOwn && hasDefaults(sent, options)) {
		return undefined;
	}

	const parts = waysOf(sent, options).map(way => partsOf(way, name));
	if (isOwn) {
		parts.push(unknownParts(name));
	}

	// What is given takes the place of the variable, even where it is `undefined`, as Got gives it. Who connects otherwise may leave it out.
	if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0' && options.rejectUnauthorized === undefined && (isOwn || !Object.hasOwn(options, 'rejectUnauthorized'))) {
		parts.push([['rejectUnauthorized', 'false']]);
	}

	const differing = new Set(parts.filter(({length}) => length > 0).map(part => JSON.stringify(part)));
	return differing.size === 0 ? undefined : hash('sha256', JSON.stringify([...differing].toSorted()), 'hex');
}

/** The TLS settings of Got's options, by the names that Node.js has for them: as in `createNativeRequestOptions()`, for a request that is not sent. */
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

/** Whether nobody has set any of the options: so it is with most requests, and this tells it in a fraction of the time. */
function hasDefaults({fields}: SentRequest, native: Values): boolean {
	const {agent} = native;
	return isUnset(native)
		&& Object.hasOwn(native, 'rejectUnauthorized')
		// HTTP/2 may ask for another name then.
		&& (fields.host === undefined || !isSeveral(agent))
		&& optionsAbove(agent).every(values => isUnset(values))
		&& hasStandardDefaults();
}

/** A way in which a request may be sent. */
type Way = {
	readonly native: Values;

	/** The options of an agent, which stand above those of the request, even where they are `undefined`. */
	readonly above: Values;

	/** The name by which the server is known where nobody gives one, and what it is by HTTP/1.1. */
	readonly serverName: string;
	readonly standardName: string;
};

function waysOf({url, fields}: SentRequest, native: Values): readonly Way[] {
	const hostname = new URL(url).hostname.replaceAll(/^\[|\]$/gv, '');
	const standardName = serverNameOf(hostname, fields.host);
	const way = (above: Values, serverName = standardName): Way => ({
		native, above, serverName, standardName,
	});
	if (isSeveral(native.agent)) {
		// Got connects without an agent to find out which protocol to speak.
		const byUrl = serverNameOf(hostname, undefined);
		const [ofTwo, ofOne] = optionsAbove(native.agent) as [Values, Values];
		return [way({}, byUrl), way(ofTwo, byUrl), way(ofOne)];
	}

	return optionsAbove(native.agent).map(above => way(above));
}

/** The options of the agents that a request may go through. */
function optionsAbove(agent: unknown): readonly Values[] {
	return isSeveral(agent) ? [optionsOf(agent.http2), optionsOf(agent.https ?? https.globalAgent)] : [optionsOf(agent ?? https.globalAgent)];
}

/** Whether there is an agent for each protocol, as Got gives them to HTTP/2. */
function isSeveral(agent: unknown): agent is Values {
	return isObject(agent) && Object.getPrototypeOf(agent) === Object.prototype;
}

function optionsOf(agent: unknown): Values {
	return isObject(agent) && isObject(agent.options) ? agent.options : {};
}

function isObject(value: unknown): value is Values {
	return typeof value === 'object' && value !== null;
}

/** The name of the server as Node.js makes it of a `Host`. */
function serverNameOf(hostname: string, host: unknown): string {
	const given = typeof host === 'string' && host !== '' ? (/^\[(?<address>[^\]]*)\]/v.exec(host)?.groups?.address ?? host.split(':', 1)[0]!) : hostname;
	return isIP(given) === 0 ? given.toLowerCase() : '';
}

/** The name of an option, and digests of its values. */
type Part = readonly [name: string, ...digests: string[]];

/** What of a way differs from Node's own defaults. */
function partsOf({native, above, serverName, standardName}: Way, name: string | undefined): readonly Part[] {
	const parts: Part[] = [];
	const given = (option: string): unknown => Object.hasOwn(above, option) ? above[option] : native[option];
	for (const [option, {isStandard, unset}] of tlsOptions) {
		const value = given(option) ?? unset?.();
		if (value === undefined || isStandard?.(value) === true) {
			continue;
		}

		const ofValue = digestsOf(value, name);
		parts.push([option, ...(isUnordered(option) ? ofValue.toSorted() : ofValue)]);
	}

	const asked = textOf(given('servername') ?? serverName).toLowerCase();
	if (asked !== standardName) {
		parts.push(['servername', asked]);
	}

	// A private key alone is shown to nobody.
	return parts.length === 0 || parts.some(([option]) => option === 'cert' || option === 'pfx') ? parts : parts.filter(([option]) => option !== 'key');
}

function isUnordered(option: string): boolean {
	return option === 'ca' || option === 'crl';
}

/** What connects in a way of its own counts as the default, unless it is named. */
function unknownParts(name: string | undefined): readonly Part[] {
	if (name !== undefined) {
		return [['connection', name]];
	}

	warn('Whom a `request` function, `createConnection` or `h2session` believes cannot be known, so that its responses are shared with requests by the default TLS settings');
	return [];
}

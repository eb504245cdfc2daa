import {Buffer} from 'node:buffer';
import {constants} from 'node:crypto';
import https, {Agent, globalAgent} from 'node:https';
import process from 'node:process';
import tls from 'node:tls';
import test from 'ava';
import type {Options, OptionsInit} from 'got';
import {HttpsProxyAgent} from 'hpagent';
import {describedRequest} from '../../source/identity/sent-request.ts';
import {tlsOptionsOf, trustOf, type ConnectingOptions} from '../../source/got/trust.ts';
import {majors} from '../helpers/clients.ts';
import {cert, key} from '../helpers/certificates.ts';

type Values = Readonly<Record<string, unknown>>;

const url = 'https://api.example/';

function trust(native: Values, {host, options = {}, name}: {host?: string | undefined; options?: Partial<ConnectingOptions>; name?: string | undefined} = {}): string | undefined {
	const connecting = {
		request: undefined, createConnection: undefined, h2session: undefined, ...options,
	};
	return trustOf(describedRequest({url, headers: {host}}), native, connecting, name);
}

const accepts = (): undefined => undefined;
const another = (): undefined => undefined;

/** Each option with two values that differ from the default, and what means the same as the default. */
const options: ReadonlyArray<readonly [option: string, one: unknown, other: unknown, defaults: readonly unknown[]]> = [
	['allowPartialTrustChain', true, undefined, [false]],
	['ca', cert, 'another', []],
	['checkServerIdentity', accepts, another, [tls.checkServerIdentity]],
	['cert', cert, 'another', []],
	['ciphers', 'aNULL', 'ALL', [tls.DEFAULT_CIPHERS]],
	['clientCertEngine', 'a', 'b', []],
	['crl', 'a', 'b', []],
	['dhparam', 'a', 'b', []],
	['ecdhCurve', 'P-256', 'P-384', ['auto']],
	['maxVersion', 'TLSv1.2', 'TLSv1.1', ['TLSv1.3']],
	['minDHSize', 1, 2048, [1024]],
	['minVersion', 'TLSv1', 'TLSv1.3', ['TLSv1.2']],
	['pfx', 'a', Buffer.from([1]), []],
	['privateKeyEngine', 'a', 'b', []],
	['privateKeyIdentifier', 'a', 'b', []],
	['pskCallback', accepts, another, []],
	['rejectUnauthorized', false, undefined, [true]],
	['secureContext', tls.createSecureContext(), tls.createSecureContext(), []],
	['secureOptions', constants.SSL_OP_NO_TLSv1_2, constants.SSL_OP_NO_TLSv1_3, [0]],
	['secureProtocol', 'TLSv1_method', 'TLSv1_1_method', []],
	['servername', 'a.example', 'b.example', ['api.example', 'API.Example']],
	['sigalgs', 'RSA+SHA1', 'RSA+SHA256', []],
];

class Tunnel extends Agent {}

/** The places where an option may be set. */
const places: ReadonlyArray<readonly [place: string, set: (option: string, value: unknown) => Values]> = [
	['the request', (option, value) => ({[option]: value})],
	['its agent', (option, value) => ({agent: new Agent({[option]: value})})],
	['an agent of a user-defined class', (option, value) => ({agent: new Tunnel({[option]: value})})],
	['a proxy\'s agent', (option, value) => ({agent: new HttpsProxyAgent({proxy: 'https://127.0.0.1:1', [option]: value})})],
	['its HTTPS agent, for HTTP/2', (option, value) => ({agent: {https: new Agent({[option]: value}), http2: {}}})],
	['its HTTP/2 agent', (option, value) => ({agent: {http2: {options: {[option]: value}}}})],
];

for (const [option, one, other, defaults] of options) {
	for (const [place, set] of places) {
		test(`trust: \`${option}\` of ${place} changes the digest, unless it has its default`, t => {
			const digests = [trust(set(option, one)), ...(other === undefined ? [] : [trust(set(option, other))])];
			t.true(digests.every(digest => typeof digest === 'string'));
			t.is(new Set(digests).size, digests.length);
			t.is(trust(set(option, one)), digests[0]);
			for (const value of [undefined, ...defaults]) {
				t.is(trust(set(option, value)), undefined, String(value));
			}
		});
	}

	test.serial(`trust: \`${option}\` of Node's global agent changes the digest, unless another agent replaces it`, t => {
		const shared = globalAgent.options as Record<string, unknown>;
		t.teardown(() => {
			Reflect.deleteProperty(shared, option);
		});
		shared[option] = one;
		const digest = trust({});
		t.is(typeof digest, 'string');
		t.is(digest, trust({agent: new Agent({[option]: one})}));
		t.is(trust({agent: {http2: undefined}}), trust({agent: {http2: undefined, https: new Agent({[option]: one})}}));
		t.not(trust({agent: {http2: undefined}}), undefined);
		t.is(trust({agent: false}), undefined);
		t.is(trust({agent: new Agent()}), undefined);
		for (const value of defaults) {
			shared[option] = value;
			t.is(trust({}), undefined);
		}
	});
}

test('equal options in different forms have the same digest', t => {
	const alike: ReadonlyArray<readonly [option: string, values: readonly unknown[]]> = [
		['ca', [cert, [cert, ''], Buffer.from(cert), new TextEncoder().encode(cert), new DataView(new TextEncoder().encode(cert).buffer), [cert], [Buffer.from(cert)], `${cert}\n`, `\n${cert}`, cert.replaceAll('\n', '\r\n')]],
		['ca', [[cert, 'b'], ['b', cert], `b\n${cert}`]],
		['cert', [cert, Buffer.from(cert), [cert], cert.trim()]],
		['crl', [['a', 'b'], ['b', 'a']]],
		['pfx', [Buffer.from([1, 255]), [Buffer.from([1, 255])], [{buf: Buffer.from([1, 255])}], [{buffer: Buffer.from([1, 255]), passphrase: 'a'}], new Uint8Array([1, 255])]],
		['servername', ['a.example', 'A.example']],
	];
	for (const [option, values] of alike) {
		t.is(new Set(values.map(value => trust({[option]: value}))).size, 1, option);
	}

	t.is(trust({cert, key}), trust({cert: [cert], key: [{pem: key, passphrase: 'a'}]}));
});

test('different values have different digests, in every form', t => {
	const space = cert.replace('CERTIFICATE-----\n', 'CERTIFICATE----- \n');
	const different: ReadonlyArray<readonly [option: string, values: readonly unknown[]]> = [
		// OpenSSL reads a block whose lines end with spaces.
		['ca', [cert, cert + space, space, [], `${cert}garbage`]],
		['cert', [[cert, 'b'], ['b', cert]]],
		['pfx', [Buffer.from([1]), Buffer.from([2]), [Buffer.from([1]), Buffer.from([2])], new DataView(new Uint8Array([1, 2]).buffer, 1).buffer]],
		['ciphers', ['a', 'b', 'A']],
		['servername', ['', 'a.example', 'a.example.', 'api.example.']],
	];
	for (const [option, values] of different) {
		t.is(new Set(values.map(value => trust({[option]: value}))).size, values.length, option);
	}
});

test('an agent\'s options take precedence over those of the request, as in Node.js', t => {
	const lax = {rejectUnauthorized: false};
	t.is(trust({...lax, agent: new Agent({rejectUnauthorized: true})}), undefined);
	t.is(trust({...lax, agent: new Agent({rejectUnauthorized: undefined})}), undefined);
	t.is(trust({rejectUnauthorized: true, agent: new Agent(lax)}), trust(lax));
	t.is(trust({ca: 'a', agent: new Agent({ca: 'b'})}), trust({ca: 'b'}));
	t.not(trust({ca: 'a', agent: new Agent({ca: 'b'})}), trust({ca: 'b', agent: new Agent({ca: 'a'})}));
	t.is(trust({minVersion: 'TLSv1', agent: new Agent({minVersion: 'TLSv1.2'})}), undefined);
	// HTTP/2 connects without it.
	t.not(trust({...lax, agent: {https: new Agent({rejectUnauthorized: true}), http2: undefined}}), undefined);
});

test.serial('Node\'s global agent may be another, or none', t => {
	const {globalAgent: before} = https;
	t.teardown(() => {
		https.globalAgent = before;
	});
	https.globalAgent = new Agent({rejectUnauthorized: false});
	t.is(trust({rejectUnauthorized: undefined}), trust({rejectUnauthorized: false}));
	for (const none of [undefined, {}, {options: undefined}, 'agent']) {
		https.globalAgent = none as never;
		t.is(trust({rejectUnauthorized: undefined}), undefined);
	}
});

test('an invalid agent counts as none', t => {
	for (const agent of [null, 0, 'agent', {}, {options: 1}, {options: null}, Object.create(null), () => {}, {http2: 1, https: null}]) {
		t.is(trust({agent}), undefined);
		t.is(trust({agent, ca: 'a'}), trust({ca: 'a'}));
	}
});

test('values that Node.js refuses are part of the digest, without an error', t => {
	for (const values of [
		{secureOptions: 5n}, {servername: 5}, {servername: {}}, {servername() {}}, {ca: Symbol('ca')}, {ca: [Symbol('ca')]}, {minVersion: {}}, {ca: 5}, {key: null, cert: [null]}, {pfx: [undefined]},
	] as readonly Values[]) {
		t.is(typeof trust(values), 'string');
		t.is(trust({agent: new Agent(values)}), trust(values));
	}
});

test('a private key without a certificate is not part of the digest', t => {
	t.is(trust({key}), undefined);
	t.is(trust({key, ca: 'a'}), trust({ca: 'a'}));
	t.not(trust({key, cert}), trust({cert}));
	t.not(trust({key, pfx: 'a'}), trust({pfx: 'a'}));
});

test('only HTTPS requests have a digest', t => {
	const plain = describedRequest({url: url.replace('https', 'http')});
	t.is(trustOf(plain, {rejectUnauthorized: false} as never, {request: undefined, createConnection: undefined, h2session: undefined}, 'a'), undefined);
});

test('the default server name is that of the Host header', t => {
	const cases: ReadonlyArray<readonly [host: string | undefined, servername: string | undefined, isDefault: boolean]> = [
		[undefined, undefined, true],
		[undefined, 'api.example', true],
		['', undefined, true],
		['', 'api.example', true],
		['a.example', undefined, true],
		['a.example', 'a.example', true],
		['A.example:8443', 'a.example', true],
		['[::1]:8443', '', true],
		['a.example', 'api.example', false],
		['a.example', '', false],
		['a.example', 'b.example', false],
		[undefined, 'a.example', false],
		[undefined, '', false],
	];
	for (const [host, servername, isDefault] of cases) {
		t.is(trust({servername}, {host}) === undefined, isDefault, `${host} ${servername}`);
	}

	// HTTP/2 asks for the URL's.
	t.is(trust({agent: {http2: undefined}}), undefined);
	t.not(trust({agent: {http2: undefined}}, {host: 'a.example'}), undefined);
});

test.serial('the defaults of the process count if an option is not set', t => {
	const before = {
		min: tls.DEFAULT_MIN_VERSION, max: tls.DEFAULT_MAX_VERSION, ciphers: tls.DEFAULT_CIPHERS, curve: tls.DEFAULT_ECDH_CURVE, env: process.env.NODE_TLS_REJECT_UNAUTHORIZED,
	};
	t.teardown(() => {
		tls.DEFAULT_MIN_VERSION = before.min;
		tls.DEFAULT_MAX_VERSION = before.max;
		tls.DEFAULT_CIPHERS = before.ciphers;
		tls.DEFAULT_ECDH_CURVE = before.curve;
		if (before.env === undefined) {
			delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
		} else {
			process.env.NODE_TLS_REJECT_UNAUTHORIZED = before.env;
		}
	});
	process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
	t.is(trust({}), trust({rejectUnauthorized: false}));
	t.is(trust({rejectUnauthorized: true}), undefined);
	// So Got gives it, and Node.js takes it.
	t.is(trust({rejectUnauthorized: undefined}), undefined);
	const connect = (() => {}) as never;
	t.is(trust({rejectUnauthorized: undefined}, {options: {request: connect}}), trust({rejectUnauthorized: false}));
	t.is(trust({rejectUnauthorized: true}, {options: {request: connect}}), undefined);
	process.env.NODE_TLS_REJECT_UNAUTHORIZED = '1';
	t.is(trust({}), undefined);
	tls.DEFAULT_MIN_VERSION = 'TLSv1';
	t.is(trust({}), trust({minVersion: 'TLSv1'}));
	t.is(trust({minVersion: 'TLSv1.2'}), undefined);
	tls.DEFAULT_MIN_VERSION = 'TLSv1.2';
	tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
	t.is(trust({}), trust({maxVersion: 'TLSv1.2'}));
	t.is(trust({maxVersion: 'TLSv1.3'}), undefined);
	tls.DEFAULT_MAX_VERSION = 'TLSv1.3';
	tls.DEFAULT_CIPHERS = 'ALL:aNULL';
	t.is(trust({}), trust({ciphers: 'ALL:aNULL'}));
	t.is(trust({ciphers: constants.defaultCoreCipherList}), undefined);
	tls.DEFAULT_CIPHERS = before.ciphers;
	tls.DEFAULT_ECDH_CURVE = 'P-256';
	t.is(trust({}), trust({ecdhCurve: 'P-256'}));
});

test('user code that connects counts as the default, unless the setting `trust` names it', t => {
	const connect = (() => {}) as never;
	for (const connecting of [{request: connect}, {createConnection: connect}, {h2session: connect}]) {
		t.is(trust({}, {options: connecting}), undefined);
		t.is(trust({ca: 'a'}, {options: connecting}), trust({ca: 'a'}));
		const named = trust({}, {options: connecting, name: 'one'});
		t.not(named, undefined);
		t.is(trust({}, {options: {request: connect}, name: 'one'}), named);
		t.not(trust({}, {options: connecting, name: 'two'}), named);
		t.not(trust({ca: 'a'}, {options: connecting, name: 'one'}), named);
	}

	t.is(trust({}, {name: 'one'}), undefined);
});

test('a function has its own digest, or that of the given name', t => {
	t.is(trust({checkServerIdentity: accepts}, {name: 'one'}), trust({checkServerIdentity: another}, {name: 'one'}));
	t.not(trust({checkServerIdentity: accepts}, {name: 'one'}), trust({checkServerIdentity: accepts}, {name: 'two'}));
	t.not(trust({checkServerIdentity: accepts}, {name: 'one'}), trust({checkServerIdentity: accepts}));
	t.not(trust({checkServerIdentity: accepts}, {name: 'one'}), trust({pskCallback: accepts}, {name: 'one'}));
});

/** Options of Got, whose digest must be the same before a request is created and when it is sent. */
const ofGot: readonly OptionsInit[] = [
	{},
	{https: {rejectUnauthorized: false}},
	{https: {rejectUnauthorized: true}},
	{https: {certificateAuthority: cert}},
	{https: {certificateAuthority: [cert, Buffer.from(cert)]}},
	{https: {certificate: cert, key, passphrase: 'a'}},
	{https: {certificate: [cert], key: [{pem: key, passphrase: 'a'}]}},
	{https: {pfx: Buffer.from('a'), passphrase: 'a'}},
	{https: {pfx: [{buffer: Buffer.from('a'), passphrase: 'a'}]}},
	{https: {certificateRevocationLists: 'a'}},
	{https: {serverName: 'a.example'}},
	{https: {checkServerIdentity: accepts}},
	{
		https: {
			ciphers: 'a', minVersion: 'TLSv1', maxVersion: 'TLSv1.2', signatureAlgorithms: 'a', dhparam: 'a', ecdhCurve: 'a', honorCipherOrder: true, secureOptions: 1,
		},
	},
	{agent: {https: new Agent({rejectUnauthorized: false})}},
	{agent: {https: false}},
	{http2: true},
	{http2: true, https: {certificateAuthority: cert}},
	{http2: true, agent: {https: new Agent({ca: cert})}},
];

for (const [name, instance] of majors) {
	test(`${name}: the TLS settings of Got's options are those of the native request`, t => {
		for (const given of ofGot) {
			const {options: defaults} = instance.extend(given as never).defaults;
			// Each major version has its own class of options.
			const made = Reflect.construct<unknown[], Options>(defaults.constructor as never, [url, undefined, defaults]);
			const connecting = {request: undefined, createConnection: undefined, h2session: undefined};
			const sent = describedRequest({url});
			const before = trustOf(sent, tlsOptionsOf(made), connecting, undefined);
			t.is(before, trustOf(sent, made.createNativeRequestOptions() as never, connecting, undefined), Object.keys(given.https ?? given).join(' '));
		}
	});
}

import {constants} from 'node:crypto';
import tls, {checkServerIdentity} from 'node:tls';

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

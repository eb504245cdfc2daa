import type {NativeOptions} from './native-request.ts';

type Part = string | Uint8Array;

/**
What the client shows of itself in a TLS handshake: its certificate and key, or a PFX, be they the request's or its agent's.

@returns `undefined` where there is none.
*/
export function clientCertificate(native: NativeOptions): readonly Part[] | undefined {
	const parts: Part[] = [];
	for (const {cert, key, pfx} of [native, ...agentOptions(native.agent)]) {
		// A private key alone is shown to nobody.
		if (cert !== undefined || pfx !== undefined) {
			parts.push(...[cert, pfx, key].flatMap(value => partsOf(value)));
		}
	}

	return parts.length === 0 ? undefined : parts;
}

/** Node.js keeps an agent's options in `options`; Got may hand in an agent for each protocol. */
function agentOptions(agent: unknown): NativeOptions[] {
	const {options, https, http2} = new Object(agent) as Record<string, {options?: unknown} | undefined>;
	return [options, https?.options, http2?.options].filter((candidate): candidate is NativeOptions => typeof candidate === 'object' && candidate !== null);
}

/** Each may be a list, whose items may be objects such as `{pem, passphrase}` or `{buf, passphrase}`. */
function partsOf(value: unknown): Part[] {
	if (typeof value === 'string' || value instanceof Uint8Array) {
		return [value];
	}

	if (Array.isArray(value)) {
		return value.flatMap(item => partsOf(item));
	}

	const {pem, buf, buffer} = new Object(value) as Record<string, unknown>;
	return [pem, buf, buffer].filter(part => part !== undefined).flatMap(part => partsOf(part));
}

import {hash} from 'node:crypto';
import {variantKey} from '../identity/key.ts';

/** What the name of a file says of its recording. */
export type RecordingName = {
	/** A digest of the primary key. */
	readonly primary: string;

	/** A digest of the key of the variant; `undefined` for a response that does not vary. */
	readonly variant: string | undefined;

	/** Which of several equal requests the recording answers, from 1. */
	readonly number: number;
};

const fileName = /-(?<primary>[\da-f]{12})(?:-(?<variant>[\da-f]{12}))?(?:-(?<number>[1-9]\d{0,8}))?\.json$/v;

/** Parses the name of a file; `undefined` for a file of another program. */
export function parseName(name: string): RecordingName | undefined {
	const groups = fileName.exec(name)?.groups;
	return groups && {primary: groups.primary!, variant: groups.variant, number: Number(groups.number ?? 1)};
}

/** Returns what the name of the file of a key says. */
export function nameOfKey(key: string, variantDigest: string | undefined): RecordingName {
	const {base, number} = /^(?<base>.*?)(?: #(?<number>[1-9]\d{0,8}))?$/sv.exec(key)!.groups as {base: string; number?: string};
	return {primary: digest(base), variant: variantDigest === undefined ? undefined : digest(variantKey(key, variantDigest)), number: Number(number ?? 1)};
}

export function digest(key: string): string {
	return hash('sha256', key, 'hex').slice(0, 12);
}

/** The length of the readable part of a name: some file systems allow no more than 143 bytes for the whole. */
const maxReadable = 90;

/** Returns the name of a new file: readable words of method and URL, then digests, since other requests may have the same words. */
export function newFileName(method: string, url: string, {primary, variant, number}: RecordingName): string {
	const {host, pathname, search} = new URL(url);
	const readable = `${method}-${host}${pathname}${search}`
		.replaceAll(/[^\w.=]+/gv, '-')
		.slice(0, maxReadable)
		.replace(/-$/v, '');
	return [readable, primary, variant, number === 1 ? undefined : number].filter(part => part !== undefined).join('-') + '.json';
}

import {readFileSync} from 'node:fs';

/** Returns the content of a PEM file of `test/fixtures/`. */
export function readPem(name: string): string {
	return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
}

/** The self-signed certificate of the origins of the tests. */
export const cert: string = readPem('localhost-cert.pem');

export const key: string = readPem('localhost-key.pem');

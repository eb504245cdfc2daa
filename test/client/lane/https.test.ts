import {readFileSync} from 'node:fs';
import {Agent, createServer} from 'node:https';
import test from 'ava';
import type {OptionsInit} from 'got';
import {startTlsOrigin} from '../../helpers/tls-origin.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {startedBy, warm} from './lane-clients.ts';

const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
const [cert, key] = [fixture('localhost-cert.pem'), fixture('localhost-key.pem')];

/** How many requests Got starts for a hit. */
const cases: ReadonlyArray<readonly [title: string, started: number, options: OptionsInit]> = [
	['nothing to show', 0, {}],
	['a key that is shown to nobody', 0, {https: {key}}],
	['an agent that shows nothing', 0, {agent: {https: new Agent({keepAlive: true, rejectUnauthorized: false})}}],
	['a certificate', 0, {https: {certificate: cert, key}}],
	['an agent that has one', 0, {agent: {https: new Agent({cert, key, rejectUnauthorized: false})}}],
];

for (const [name, instance] of majors) {
	test.serial(`${name}: a hit of HTTPS takes the lane, whatever the TLS settings are`, async t => {
		const url = await startTlsOrigin(t, {cert, key}, (_request, response) => {
			response.end('a');
		});
		const client = createClient({}, instance).client.extend({https: {rejectUnauthorized: false}});
		for (const [title, started, options] of cases) {
			await warm(client, url, options);
			let response: unknown;
			const count = await startedBy(instance, async () => {
				response = await client(url, options);
			});
			t.is(count, started, title);
			t.like(response, {isFromCache: true, body: 'a'}, title);
		}
	});
}

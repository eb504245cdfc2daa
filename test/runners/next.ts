import {spawn} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {environment, execute, place} from './installation.ts';
import {writePrograms} from './programs.ts';

const route = `
	import {run} from '../../module.mjs';
	export const dynamic = 'force-dynamic';
	export async function GET() {
		await run();
		return new Response('done');
	}
`;

/** Writes an application of Next.js with one route, which runs the program, and builds it. Returns what the build printed. */
export async function buildNext(folder: string, bundler: '--turbopack' | '--webpack', config: object): Promise<string> {
	await fs.rm(path.join(folder, '.next'), {recursive: true, force: true});
	await fs.mkdir(path.join(folder, 'app/cached'), {recursive: true});
	await writePrograms(folder);
	await fs.writeFile(path.join(folder, 'app/cached/route.js'), route);
	await fs.writeFile(path.join(folder, 'next.config.mjs'), `export default ${JSON.stringify({...config, outputFileTracingRoot: place, turbopack: {root: place}})};\n`);
	const {stdout, stderr} = await execute(process.execPath, ['node_modules/.bin/next', 'build', bundler], {cwd: folder, env: environment, timeout: 180_000});
	return stdout + stderr;
}

/** Starts the application, asks its route once, and returns what it printed. */
export async function requestNext(folder: string, isRegistered: boolean): Promise<string> {
	const args = ['node_modules/.bin/next', 'start', '--port', '0', '--hostname', '127.0.0.1'];
	/* eslint-disable @typescript-eslint/naming-convention -- Variables of Node.js and of the library. */
	const registering = isRegistered ? {NODE_OPTIONS: '--import got-cache-hooks/register', GOT_CACHE_STORE: 'memory'} : {};
	/* eslint-enable @typescript-eslint/naming-convention */
	const server = spawn(process.execPath, args, {cwd: folder, env: {...environment, ...registering}});
	let text = '';
	server.stderr.on('data', (chunk: Uint8Array) => {
		text += String(chunk);
	});
	try {
		for await (const line of createInterface({input: server.stdout})) {
			text += `${line}\n`;
			const url = /Local: +(?<url>http:\S+)/v.exec(line)?.groups?.url;
			if (url !== undefined) {
				void fetch(`${url}/cached`).catch(() => undefined);
			}

			if (line.includes('RESULT')) {
				break;
			}
		}
	} finally {
		server.kill();
	}

	return text;
}

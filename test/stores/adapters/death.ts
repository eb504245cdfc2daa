import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import type {TestFn} from 'ava';
import {ServerProcess, type ServerCommand} from '../../helpers/server-process.ts';

type DeathOptions = {
	readonly command: () => Promise<ServerCommand>;

	/** The arguments of `outage-main.ts`, without the port. */
	readonly args: readonly [name: string, shape: string, place: string];
	readonly diesOf: RegExp;
};

/**
Tests a limit that the library cannot work around: an adapter ends the process when its server goes away.
*/
export function testDeath(test: TestFn, title: string, {command, args, diesOf}: DeathOptions): void {
	const [name, shape, place] = args;
	test(`${title}: the adapter ends the process when its server goes away`, async t => {
		await using server = await ServerProcess.start(await command());
		const where = JSON.stringify({...JSON.parse(place) as object, port: server.port});
		const child = spawn(process.execPath, [fileURLToPath(new URL('outage-main.ts', import.meta.url)), name, shape, where], {stdio: ['pipe', 'pipe', 'pipe']});
		t.teardown(() => {
			child.kill();
		});
		// The process may end before it reads.
		child.stdin.on('error', () => undefined);
		let output = '';
		child.stderr.on('data', chunk => {
			output += String(chunk);
		});
		await once(child.stdout, 'data');
		await server.stop();
		child.stdin.write('The server is gone');
		const [code] = await once(child, 'close') as [number];
		t.is(code, 1, 'The process survives, so the limit no longer exists');
		t.regex(output, diesOf);
	});
}

import {execFileSync} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type {Opened, Subject} from '../types.ts';

const root = path.join(import.meta.dirname, '../..');

// The whole process but its end: the processor's time counts from its start.
const report = 'import process from \'node:process\';\nconsole.log(JSON.stringify(process.cpuUsage()));\n';

/** A method that is decorated as compilers do it. */
const decorated = `
class Client {
	async read() {}
}

Object.defineProperty(Client.prototype, 'read', Cached()(Client.prototype, 'read', Object.getOwnPropertyDescriptor(Client.prototype, 'read')) ?? {});
`;

const programs = {
	'importing Got': 'import \'got\';\n',
	'importing Got and ours, memory': 'import \'got\';\nimport {cacheHooks} from \'./index.js\';\ncacheHooks({store: \'memory\'});\n',
	'importing Got and ours, SQLite, a decorated class': `import 'got';\nimport {Cached, cacheHooks} from './index.js';\ncacheHooks({store: 'sqlite'});\n${decorated}`,
} as const;

/** Starts a process for each round: the published bundle and what it loads. */
async function starting(name: string, program: string): Promise<Opened> {
	// Within the repository, where the packages are found.
	const folder = path.join(root, '.bench', `start-${name.replaceAll(/[^A-Za-z]+/gv, '-')}`);
	execFileSync(process.execPath, [path.join(root, 'node_modules/rolldown/bin/cli.mjs'), '--config', '--logLevel', 'warn', '--dir', folder], {cwd: root, stdio: 'ignore'});
	const file = path.join(folder, 'program.js');
	await fs.writeFile(file, `${program}${report}`);

	const weigh = async () => {
		const start = performance.now();
		const output = execFileSync(process.execPath, [file], {cwd: folder, encoding: 'utf8'});
		const time = (performance.now() - start) * 1000;
		const {user, system} = JSON.parse(output) as NodeJS.CpuUsage;
		return {p50: time, cpu: user + system};
	};

	return {run: weigh, weigh};
}

export const startSubjects: Readonly<Record<string, Subject>> = Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, () => starting(name, program)]));

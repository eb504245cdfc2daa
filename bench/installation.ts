/**
What a request costs in a process that was started with the register while nothing is installed, and after something was installed and uninstalled, beside one in a process without. The claim is under 2 %.

Each round starts a process of each kind, in turns. What counts is the processor's time, which a busy machine changes less than the clock's, and of each kind the fastest rounds. The kind that is there twice tells how much of a difference is noise.

Run it with `node bench/installation.ts`.
*/
import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {Readable} from 'node:stream';
import {pathToFileURL} from 'node:url';
import got from 'got';

const warming = 2000;
const requests = 4000;
const rounds = 10;

const register = pathToFileURL(path.resolve(import.meta.dirname, '../source/register.ts')).href;
const kinds: Readonly<Record<string, readonly string[]>> = {
	'without the register': [],
	'the same once more': [],
	'registered, nothing installed': ['--import', register],
	'registered, installed and uninstalled': ['--import', register],
};

/** Processor time for one request, in microseconds, that is answered at once where it would be sent. */
async function measure(): Promise<number> {
	const body = Buffer.alloc(1024, 'x');
	const client = got.extend({
		request: () => Object.assign(Readable.from([body]), {statusCode: 200, headers: {}, complete: true}) as never,
	});
	const ask = async (times: number): Promise<void> => {
		for (let index = 0; index < times; index++) {
			await client('http://127.0.0.1:9/items');
		}
	};

	await ask(warming);
	const start = process.cpuUsage();
	await ask(requests);
	const {user, system} = process.cpuUsage(start);
	return (user + system) / requests;
}

const [, file, asked] = process.argv;
if (asked === undefined) {
	const results = new Map(Object.keys(kinds).map(kind => [kind, [] as number[]]));
	for (let round = 0; round < rounds; round++) {
		for (const [kind, flags] of Object.entries(kinds)) {
			results.get(kind)!.push(Number(execFileSync(process.execPath, [...flags, file!, kind], {encoding: 'utf8'})));
		}
	}

	// What disturbs a process only makes it slower.
	const fastest = (values: readonly number[]): number => values.toSorted((a, b) => a - b).slice(0, 3).reduce((sum, value) => sum + value, 0) / 3;
	const floor = fastest(results.get('without the register')!);
	for (const [kind, values] of results) {
		console.log(`${kind.padEnd(40)} ${fastest(values).toFixed(1).padStart(7)} µs ${(((fastest(values) / floor) - 1) * 100).toFixed(1).padStart(6)} %`);
	}
} else {
	if (asked === 'registered, installed and uninstalled') {
		const {installCache, uninstallCache} = await import('../source/index.ts');
		installCache({store: 'memory'});
		await got('http://127.0.0.1:9/', {request: () => Object.assign(Readable.from(['']), {statusCode: 200, headers: {}, complete: true}) as never});
		await uninstallCache();
	}

	console.log(await measure());
}

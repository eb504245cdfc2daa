// Runs what `npm test` stands for. A step that fails does not keep the next from telling what it knows.
import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';

const steps = ['lint', 'types', 'test:policy', 'test:unit'];

// Runs a script of package.json, and counts the results that AVA tells of in TAP.
async function run(script) {
	const isTest = script.startsWith('test:');
	const child = spawn('npm', ['run', '--silent', script, ...(isTest ? ['--', '--tap'] : [])], {stdio: ['ignore', 'pipe', 'inherit']});
	const closed = new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', code => {
			resolve(code);
		});
	});

	let passed = 0;
	let failed = 0;
	for await (const line of createInterface({input: child.stdout})) {
		console.log(line);
		if (!isTest) {
			continue;
		}

		if (/^ok (?!.*# SKIP$)/v.test(line)) {
			passed++;
		} else if (/^not ok (?!.*# TODO$)/v.test(line)) {
			failed++;
		}
	}

	const isSuccess = await closed === 0;

	// What fails without a failed test (lint, types, coverage, a file that does not load) counts as one: the last line never says 0 of a run that failed.
	return {
		script, passed, failed: isSuccess || failed > 0 ? failed : 1, isSuccess,
	};
}

const results = [];
for (const step of steps) {
	console.log(`> ${step}`);
	results.push(await run(step));
}

const sum = key => results.reduce((total, result) => total + result[key], 0);
const failures = results.filter(({isSuccess}) => !isSuccess);

if (failures.length > 0) {
	console.log(`\nNot good: ${failures.map(({script}) => script).join(', ')}`);
	process.exitCode = 1;
}

console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);

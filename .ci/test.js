// Runs the scripts of package.json that it is given: the tests one after the other, and beside them the others, whose output comes when they have ended. A step that fails does not keep the next from being run.
import {spawn} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {describeFailures, findFailures} from './failures.js';

const tailLength = 30;

const isTest = script => script.startsWith('test:');

// Runs a script, and counts the results that AVA writes in TAP.
async function run(script) {
	const start = performance.now();
	const child = spawn('npm', ['run', '--silent', script, ...(isTest(script) ? ['--', '--tap'] : [])], {stdio: ['ignore', 'pipe', 'inherit']});
	const closed = new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', code => {
			resolve(code);
		});
	});

	let passed = 0;
	const lines = [];
	for await (const line of createInterface({input: child.stdout})) {
		if (isTest(script)) {
			console.log(line);
		}

		if (isTest(script) && /^ok (?!.*# SKIP$)/v.test(line)) {
			passed++;
		}

		lines.push(line);
	}

	const isSuccess = await closed === 0 && (passed > 0 || !isTest(script));
	if (!isTest(script)) {
		console.log([`> ${script}`, ...lines].join('\n'));
	}

	let failures = isTest(script) ? findFailures(lines.join('\n')) : [];

	// What fails without a failed test (lint, types, coverage, a file that does not load) counts as one: the last line never says 0 of a run that failed.
	if (!isSuccess && failures.length === 0) {
		const block = [`not ok - ${script} failed`, ...lines.slice(-tailLength).map(line => `    ${line}`)].join('\n');
		console.log(block);
		failures = findFailures(block);
	}

	return {
		script, passed, failures, isSuccess, seconds: Math.round((performance.now() - start) / 1000),
	};
}

async function runAll(scripts) {
	const results = [];
	for (const script of scripts) {
		if (isTest(script)) {
			console.log(`> ${script}`);
		}

		results.push(await run(script));
	}

	return results;
}

const scripts = process.argv.slice(2);
const [others, tests] = await Promise.all([
	runAll(scripts.filter(script => !isTest(script))),
	runAll(scripts.filter(script => isTest(script))),
]);
const results = [...others, ...tests];
const failures = results.flatMap(result => result.failures);
const bad = results.filter(({isSuccess}) => !isSuccess);
if (failures.length > 0) {
	console.log(`\n${describeFailures(failures)}`);
}

if (bad.length > 0) {
	console.log(`\nNot good: ${bad.map(({script}) => script).join(', ')}`);
	process.exitCode = 1;
}

console.log(`\nSeconds: ${results.map(({script, seconds}) => `${script} ${seconds}`).join(', ')}`);
console.log(`${results.reduce((total, {passed}) => total + passed, 0)} passed, ${failures.length} failed`);

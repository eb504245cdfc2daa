import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {measure} from '../../bench/measure.ts';
import {scenarios} from '../../bench/scenarios.ts';
import {pythonSubjects, subjects} from '../../bench/subjects/index.ts';
import {Surroundings} from '../../bench/surroundings.ts';
import type {Need, Place} from '../../bench/types.ts';

// AVA requires that all tests are declared at once, and their titles name what is missing on this machine.
const surroundings = await Surroundings.start();
test.after.always(async () => {
	await surroundings[Symbol.asyncDispose]();
});

function reportMissing(name: string, need: Need): void {
	test.serial(`the benchmark subject “${name}” is not tested, as there is no ${need}`, t => {
		t.log(`“${name}” is not tried: there is no ${need}.`);
		t.is(surroundings.missing(name), need);
	});
}

/** The APIs by which each subject is read. */
const reads = new Map<string, Set<Place['read']>>();
for (const {subjects: names, place} of scenarios) {
	for (const name of names) {
		reads.set(name, (reads.get(name) ?? new Set()).add(place?.read ?? 'json'));
	}
}

for (const [name, open] of Object.entries(subjects)) {
	const need = surroundings.missing(name);
	if (need !== undefined) {
		reportMissing(name, need);
		continue;
	}

	for (const read of reads.get(name)!) {
		test.serial(`the benchmark subject “${name}” gives the expected response, read as ${read}`, async t => {
			const {origin, redis} = surroundings;
			const opened = await open({
				origin, ...(redis !== undefined && {redis}), folder: await fs.mkdtemp(path.join(surroundings.folder, 'smoke-')), bytes: 1024, read, entries: 20,
			});
			await t.notThrowsAsync(async () => {
				// As the worker does: before the first round and after the last.
				await opened.check?.();
				await opened.run(0);
				await opened.run(1);
				await opened.settle?.();
				await opened.weigh?.();
				await opened.check?.();
				await opened.close?.();
			});
		});
	}
}

for (const name of pythonSubjects) {
	const need = surroundings.missing(name);
	if (need !== undefined) {
		reportMissing(name, need);
		continue;
	}

	test.serial(`the benchmark subject “${name}” gives the expected response`, async t => {
		const {subjects: measured, failures} = await measure({title: name, subjects: [name]}, surroundings, {rounds: 1, milliseconds: 5});
		t.deepEqual(failures, []);
		t.true(measured[0]!.rounds[0]!.p50! > 0);
	});
}

test.serial('a subject that fails, or whose requirement is missing, does not prevent the results of the others', async t => {
	const python = pythonSubjects[0]!;
	const lacking = {...surroundings, missing: (name: string) => name === python ? 'requests-cache' as const : undefined};
	const {subjects: measured, failures, leftOut} = await measure({title: 'three', subjects: ['canned Got', 'nobody', python]}, lacking, {rounds: 2, milliseconds: 5});
	t.deepEqual(measured.map(({name, rounds}) => [name, rounds.length]), [['canned Got', 2]]);
	t.deepEqual(failures.map(({name}) => name), ['nobody']);
	t.regex(failures[0]!.reason, /TypeError/v);
	t.deepEqual(leftOut, [{name: python, need: 'requests-cache'}]);
});

test.serial('every scenario names existing subjects, and compares only subjects that it measures', t => {
	const known = new Set([...Object.keys(subjects), ...pythonSubjects]);
	for (const {title, subjects: measured, goals = []} of scenarios) {
		t.deepEqual(measured.filter(name => !known.has(name)), [], title);
		t.deepEqual(goals.flatMap(({subject, against}) => [subject, against]).filter(name => !measured.includes(name)), [], title);
	}

	t.deepEqual([...known].filter(name => !reads.has(name)), []);
	t.is(new Set(scenarios.map(({title}) => title)).size, scenarios.length);
});

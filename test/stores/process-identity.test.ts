import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {
	identityOn,
	isGone,
	processIdentity,
	thisMachine,
	type Machine,
} from '../../source/stores/process-identity.ts';

const main = fileURLToPath(new URL('process-identity-main.ts', import.meta.url));
const onLinux = process.platform === 'linux' ? test : test.skip;

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) {
		await turn();
	}
}

async function startProcess(t: ExecutionContext, ...titles: readonly string[]): Promise<{child: ChildProcess; identity: string; end: () => Promise<void>}> {
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...titles], {stdio: ['pipe', 'pipe', 'inherit']});
	t.teardown(() => {
		child.kill('SIGKILL');
	});
	const [chunk] = await once(child.stdout, 'data') as [Uint8Array];
	const end = async (): Promise<void> => {
		const closed = once(child, 'close');
		child.kill('SIGKILL');
		await closed;
	};

	return {child, identity: new TextDecoder().decode(chunk).trim(), end};
}

test('a running process is not gone, and a killed one is', async t => {
	const {identity, child, end} = await startProcess(t);
	t.is(identity, identityOn(thisMachine(), child.pid!));
	t.false(isGone(identity));
	t.false(isGone(processIdentity()));
	await end();
	t.true(isGone(identity));
});

for (const title of ['a b', 'a) R 1 (b', ') Z 1 2', '((('] as const) {
	onLinux(`a process whose command is named ${JSON.stringify(title)} is identified by its start time`, async t => {
		const {identity, child, end} = await startProcess(t, title);
		t.true(readFileSync(`/proc/${child.pid!}/stat`, 'latin1').includes(`(${title})`));
		t.is(identity.split('/', 5)[4], thisMachine().startOf(child.pid!));
		t.regex(identity, /\/\d+$/v);
		t.is(identity, identityOn(thisMachine(), child.pid!));
		t.false(isGone(identity));
		await end();
		t.true(isGone(identity));
	});
}

onLinux('a process is gone if its id belongs to a later process', t => {
	const parts = processIdentity().split('/');
	t.true(isGone([...parts.slice(0, 4), String(Number(parts[4]) + 1)].join('/')));
	t.true(isGone([...parts.slice(0, 4), String(Number(parts[4]) - 1)].join('/')));
});

onLinux('a zombie process is gone', async t => {
	// The shell prints the id of its child, and becomes a program that does not wait for it; then the child ends.
	const shell = spawn('/bin/sh', ['-c', 'exec 3<&0; (read line <&3) & echo $!; exec sleep 600'], {stdio: ['pipe', 'pipe', 'inherit']});
	t.teardown(() => {
		shell.kill('SIGKILL');
	});
	const [chunk] = await once(shell.stdout, 'data') as [Uint8Array];
	const pid = Number(new TextDecoder().decode(chunk));
	await until(() => readFileSync(`/proc/${shell.pid!}/comm`, 'utf8') === 'sleep\n');
	t.regex(thisMachine().startOf(pid)!, /^\d+$/v);
	shell.stdin.end();
	await until(() => thisMachine().startOf(pid) === 'ended');
	t.true(thisMachine().exists(pid));
	const {host, boot, namespace} = thisMachine();
	t.true(isGone(`${encodeURIComponent(host)}/${boot!}/${namespace!}/${pid}/1`));
});

const linux: Machine = {
	host: 'a',
	boot: 'b1',
	namespace: '7',
	hasStartTimes: true,
	exists: pid => pid === 10,
	startOf: pid => pid === 10 ? '100' : undefined,
};
const other: Machine = {
	...linux, boot: undefined, namespace: undefined, hasStartTimes: false, startOf: () => undefined,
};

const rows: ReadonlyArray<readonly [sentence: string, identity: string, machine: Machine, expected: boolean]> = [
	['a running process', 'a/b1/7/10/100', linux, false],
	['a process that does not exist', 'a/b1/7/11/100', linux, true],
	['a process with another start time', 'a/b1/7/10/99', linux, true],
	['a process without a start time in its identity', 'a/b1/7/10/', linux, false],
	['a process whose start time cannot be read', 'a/b1/7/10/99', {...linux, startOf: () => undefined}, false],
	['a process of another host', 'b/b1/7/11/100', linux, false],
	['a process of an earlier boot', 'a/b0/7/11/100', linux, false],
	['a process of another container', 'a/b1/8/11/100', linux, false],
	['a process of an unknown container', 'a/b1//11/100', linux, false],
	['a process without a container in its identity, on a machine without PID namespaces,', 'a/b1//11/100', {...linux, namespace: undefined}, false],
	['a process without a boot in its identity, on a machine without boot ids,', 'a//7/11/100', {...linux, boot: undefined}, false],
	['a running process, on a machine without start times,', 'a///10/', other, false],
	['a process that does not exist, on a machine without start times,', 'a///11/', other, true],
	['a process of another host, on a machine without start times,', 'b///11/', other, false],
	['a process of a machine with start times, on one without,', 'a/b1/7/11/100', other, false],
	['an empty text', '', linux, false],
	['another text', 'refused', linux, false],
	['a UUID', 'b4a3e1f0-0000-4000-8000-000000000000', linux, false],
	['an identity with too few parts', 'a/b1/7/11', linux, false],
	['an identity with too many parts', 'a/b1/7/11/100/1', linux, false],
	['an identity without a process id', 'a/b1/7//100', linux, false],
	['an identity with a word as process id', 'a/b1/7/x/100', linux, false],
	['the id of a process group', 'a/b1/7/-11/100', linux, false],
	['the id 0', 'a/b1/7/0/100', linux, false],
];

for (const [sentence, identity, machine, expected] of rows) {
	test(`${sentence} is ${expected ? 'gone' : 'not gone'}`, t => {
		t.is(isGone(identity, machine), expected);
	});
}

test('the name of a host may contain any characters', t => {
	const machine = {...linux, host: 'a/b c%2F'};
	const identity = identityOn(machine, 10);
	t.is(identity.split('/').length, 5);
	t.false(isGone(identity, machine));
	t.true(isGone(identity.replace('/10/', '/11/'), machine));
});

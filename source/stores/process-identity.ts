import {readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';
import process from 'node:process';

/**
What is known about the processes of this machine. A part that cannot be known is `undefined`.
*/
export type Machine = {
	readonly host: string;

	/** Changes with each start of the machine. */
	readonly boot: string | undefined;

	/** The PID namespace, in which process ids are unique. Each container has its own. */
	readonly namespace: string | undefined;

	/** Whether processes have start times, which differ for processes that have the same id one after another. */
	readonly hasStartTimes: boolean;

	/** Whether a process with this id exists. */
	readonly exists: (pid: number) => boolean;

	/** The start time of the process with this id; `'ended'` for a zombie. */
	readonly startOf: (pid: number) => string | undefined;
};

const zombieStates = new Set(['Z', 'X', 'x']);

let machineHere: Machine | undefined;
let ownIdentity: string | undefined;

/** Returns what is known about this machine, which is read once. */
export function thisMachine(): Machine {
	machineHere ??= {
		host: hostname(),
		boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
		namespace: attempt(() => /\d+/v.exec(readlinkSync('/proc/self/ns/pid'))?.[0]),
		hasStartTimes: process.platform === 'linux',
		exists,
		startOf: pid => attempt(() => startIn(readFileSync(`/proc/${pid}/stat`, 'latin1'))),
	};
	return machineHere;
}

/**
Returns the identity of this process for locks that the processes of a machine share: host, boot, PID namespace, process id and start time, as one line of text.
*/
export function processIdentity(): string {
	ownIdentity ??= identityOn(thisMachine(), process.pid);
	return ownIdentity;
}

export function identityOn({host, boot = '', namespace = '', startOf}: Machine, pid: number): string {
	return [host, boot, namespace, String(pid), startOf(pid) ?? ''].map(part => encodeURIComponent(part)).join('/');
}

/**
Whether the process with an identity is known to have ended. `false` if that cannot be known: for a process of another machine or container, and for a text that is not an identity.

Where processes have no start times (macOS, Windows), a later process with the same id counts as the same process.
*/
export function isGone(identity: string, machine: Machine = thisMachine()): boolean {
	const [host, boot, namespace, id, start, ...rest] = identity.split('/');
	const pid = Number(id);
	const isIdentity = start !== undefined && rest.length === 0 && Number.isSafeInteger(pid) && pid > 0;
	if (!isIdentity || host !== encodeURIComponent(machine.host) || boot !== (machine.boot ?? '') || namespace !== (machine.namespace ?? '')) {
		return false;
	}

	if (!machine.hasStartTimes) {
		return !machine.exists(pid);
	}

	// Without both, two containers may have the same host name and the same process ids.
	if (boot === '' || namespace === '') {
		return false;
	}

	const startNow = machine.startOf(pid);
	return !machine.exists(pid) || startNow === 'ended' || (startNow !== undefined && start !== '' && startNow !== start);
}

function exists(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		// A process of another user, which refuses the signal, exists.
		return (error as {code?: unknown}).code !== 'ESRCH';
	}
}

/** Returns field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)). Field 2, the name of the command in parentheses, may contain spaces and parentheses. */
function startIn(stat: string): string | undefined {
	const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).trimEnd().split(' ');
	const start = fields[18];
	if (state === undefined || start === undefined || !/^\d+$/v.test(start)) {
		return undefined;
	}

	return zombieStates.has(state) ? 'ended' : start;
}

function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}

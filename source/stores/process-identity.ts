import {readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';
import process from 'node:process';

/**
What can be known of the processes of this machine. A part that cannot be known is `undefined`.
*/
export type Machine = {
	readonly host: string;

	/** Changes with each start of the machine. */
	readonly boot: string | undefined;

	/** Within which a process has its id: containers have their own. */
	readonly namespace: string | undefined;

	/** Whether processes have a start time here, beside their id, which a later process may get again. */
	readonly hasStartTimes: boolean;

	/** Whether a process with this id exists, by a signal that does nothing. */
	readonly exists: (pid: number) => boolean;

	/** When the process with this id has started; `'ended'` for one that waits only for its parent to take note of its end. */
	readonly startOf: (pid: number) => string | undefined;
};

const separator = '/';
const linuxEndStates = new Set(['Z', 'X', 'x']);

let known: Machine | undefined;
let own: string | undefined;

/** What is known of this machine; read once, when it is first asked for. */
export function thisMachine(): Machine {
	known ??= {
		host: hostname(),
		boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
		namespace: attempt(() => /\d+/v.exec(readlinkSync('/proc/self/ns/pid'))?.[0]),
		hasStartTimes: process.platform === 'linux',
		exists,
		startOf: pid => attempt(() => startIn(readFileSync(`/proc/${pid}/stat`, 'latin1'))),
	};
	return known;
}

/**
The identity of this process for locks in stores that the processes of a machine share: host, start of the machine, PID namespace, process id and start time of the process, as one line of text.
*/
export function processIdentity(): string {
	own ??= identityOn(thisMachine(), process.pid);
	return own;
}

export function identityOn(machine: Machine, pid: number): string {
	const {host, boot = '', namespace = ''} = machine;
	return [host, boot, namespace, String(pid), machine.startOf(pid) ?? ''].map(part => encodeURIComponent(part)).join(separator);
}

/**
Whether the process with an identity is known to have ended. What cannot be known is `false`: of another machine, of another container, of a text that is no identity.

Where processes have no start times (macOS, Windows), a process that has got the same id is taken for the one that had it.
*/
export function isGone(identity: string, machine: Machine = thisMachine()): boolean {
	const [host, boot, namespace, id, start, ...rest] = identity.split(separator);
	const pid = Number(id);
	if (start === undefined || rest.length > 0 || !Number.isSafeInteger(pid) || pid <= 0) {
		return false;
	}

	const isHere = host === encodeURIComponent(machine.host) && boot === (machine.boot ?? '') && namespace === (machine.namespace ?? '');
	if (!isHere) {
		return false;
	}

	if (!machine.hasStartTimes) {
		return !machine.exists(pid);
	}

	// Without them, two containers may have the same host name and the same process ids.
	if (boot === '' || namespace === '') {
		return false;
	}

	if (!machine.exists(pid)) {
		return true;
	}

	const startNow = machine.startOf(pid);
	return startNow === 'ended' || (startNow !== undefined && start !== '' && startNow !== start);
}

function exists(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		// A process of another user, which may not be sent a signal, exists.
		return (error as {code?: unknown}).code !== 'ESRCH';
	}
}

/** Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)). The second field is the name of the command, in parentheses, and may have spaces and parentheses itself. */
function startIn(stat: string): string | undefined {
	const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).trimEnd().split(' ');
	const start = fields[18];
	if (state === undefined || start === undefined || !/^\d+$/v.test(start)) {
		return undefined;
	}

	return linuxEndStates.has(state) ? 'ended' : start;
}

function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}

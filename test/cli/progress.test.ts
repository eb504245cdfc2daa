import {PassThrough} from 'node:stream';
import test from 'ava';
import {Output, Progress} from '../../source/cli/output.ts';

type Fake = {readonly output: Output; readonly shown: () => string};

function fakeOutput(isTerminal: boolean): Fake {
	const stderr = Object.assign(new PassThrough(), {isTTY: isTerminal}); // eslint-disable-line @typescript-eslint/naming-convention -- The name in Node.js.
	const output = new Output({
		stdin: new PassThrough(), stdout: new PassThrough(), stderr, env: {},
	});
	return {output, shown: () => String(stderr.read() ?? '')};
}

test('the progress of a task that takes long is shown on a terminal, ten times a second, and gives way to what comes after it', t => {
	let now = 0;
	const {output, shown} = fakeOutput(true);
	const progress = new Progress(output, 'Copying', 240, () => now);
	progress.update(1);
	t.is(shown(), '');
	now = 100;
	progress.update(60);
	t.is(shown(), '\rCopying [######..................] 25 % 60/240\u{1B}[K');
	progress.update(61);
	t.is(shown(), '');
	now = 200;
	progress.update(300);
	t.is(shown(), '\rCopying [########################] 100 % 300/240\u{1B}[K');
	output.note('Done.');
	t.is(shown(), '\r\u{1B}[KDone.\n');
	progress.end();
	t.is(shown(), '');
});

test('the progress of a task of unknown length is a number', t => {
	let now = 0;
	const clock = (): number => now;
	const {output, shown} = fakeOutput(true);
	for (const total of [undefined, 0]) {
		const progress = new Progress(output, 'Reading', total, clock);
		now += 100;
		progress.update(7);
		progress.end();
		t.is(shown(), '\rReading 7\u{1B}[K\r\u{1B}[K');
	}
});

test('no progress is shown elsewhere', t => {
	let now = 0;
	const {output, shown} = fakeOutput(false);
	const progress = new Progress(output, 'Reading', 10, () => now);
	now = 1000;
	progress.update(5);
	progress.end();
	t.is(shown(), '');
});

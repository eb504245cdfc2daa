// Finds the failed tests in the lines of a TAP log, with the error block of each. As a program, it prints those of the file that is named: with `--short` the titles and a few lines of each.
import fs from 'node:fs';
import process from 'node:process';

// A log may be cut at any length: these bounds keep the end of it short.
const lengths = {full: {failures: 40, lines: 40}, short: {failures: 60, lines: 6}};
const longestLine = 400;

export function findFailures(log) {
	const failures = [];
	let current;
	for (const line of log.split('\n')) {
		const title = /^not ok (?!.*# TODO$)(?<title>.+)/v.exec(line)?.groups.title;
		if (title !== undefined) {
			current = {title, lines: []};
			failures.push(current);
		} else if (line === '  ...' || /^(?:ok|> )/v.test(line)) {
			current = undefined;
		} else if (line !== '  ---') {
			current?.lines.push(line);
		}
	}

	return failures;
}

export function describeFailures(failures, {isShort = false} = {}) {
	if (failures.length === 0) {
		return '';
	}

	const length = isShort ? lengths.short : lengths.full;
	const blocks = failures.slice(0, length.failures).map(({title, lines}) => [
		`not ok ${title}`,
		...lines.slice(0, length.lines),
		...(lines.length > length.lines ? [`    (${lines.length - length.lines} more lines)`] : []),
	].map(line => `  ${line.slice(0, longestLine)}`).join('\n'));
	const rest = failures.length - blocks.length;
	return [
		`Failed tests (${failures.length}):`,
		...blocks,
		...(rest > 0 ? [`  and ${rest} more`] : []),
	].join('\n');
}

if (process.argv[1] === import.meta.filename) {
	const isShort = process.argv.includes('--short');
	const failures = findFailures(fs.readFileSync(process.argv.at(-1), 'utf8'));
	if (failures.length > 0) {
		console.log(`\n${describeFailures(failures, {isShort})}`);
	}
}

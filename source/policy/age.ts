import {fieldLines, type Fields} from './fields.ts';
import type {ResponseFacts} from './response-facts.ts';
import type {StoredHead} from './types.ts';

/**
The corrected initial age in milliseconds (RFC 9111 §4.2.3): how old the response was when it came.
*/
export function initialAge({date, received, fields}: ResponseFacts, requested: number): number {
	const apparentAge = date === undefined ? 0 : received - date;
	const responseDelay = Math.max(0, received - requested);
	return Math.max(0, apparentAge, ageValue(fields) + responseDelay);
}

/** The age in milliseconds now (RFC 9111 §4.2.3). A clock that was set back makes nothing younger than it came. */
export function currentAge({initialAge: initial, createdAt}: StoredHead, now: number): number {
	return initial + Math.max(0, now - createdAt);
}

const greatest = 2_147_483_648;

// What is no visible character beside a number does not hide it: nothing is younger for it.
const number = /^[^\u{21}-\u{7E}]*(?<seconds>\d+)[^\u{21}-\u{7E}]*$/v;

// RFC 9111 §5.1: of a list the first counts; what is no number of seconds is ignored.
function ageValue(fields: Fields): number {
	const [first = ''] = (fieldLines(fields, 'age')[0] ?? '').split(',', 1);
	const {seconds = '0'} = number.exec(first)?.groups ?? {};
	return Math.min(Number(seconds), greatest) * 1000;
}

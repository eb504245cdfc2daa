import test from 'ava';
import {onResponse} from '../../source/policy/response-rules.ts';
import {noRecording, settingsOfMode, type Mode} from '../../source/policy/modes.ts';
import {facts, start} from '../helpers/policy.ts';

test('a mode records every response without expiration; without a mode, the settings stay', t => {
	t.deepEqual(settingsOfMode(undefined), {recording: noRecording});
	for (const name of ['record', 'replay', 'record-missing'] as const) {
		const {allowableCodes, allowableMethods, expireAfter, cacheControl} = settingsOfMode({name});
		t.true(allowableCodes!.has(599));
		t.true(allowableMethods!.has('ANYTHING'));
		t.deepEqual(expireAfter, {kind: 'never'});
		t.false(cacheControl);
	}

	t.true(settingsOfMode({name: 'record'}).forceRefresh);
	t.like(settingsOfMode({name: 'replay'}), {onlyIfCached: true, readOnly: true, forceRefresh: false});
});

test('RFC 6585: a response that no cache may store is recorded, since a recording is not a cache', t => {
	const receive = (statusCode: number, name?: Mode): object => onResponse(
		facts({settings: {...settingsOfMode(name === undefined ? undefined : {name}), allowableCodes: new Set([statusCode])}}),
		{statusCode, fields: {}},
		{stored: undefined, conditional: false},
		{requested: start, received: start},
	);
	for (const statusCode of [428, 429, 431, 511]) {
		t.like(receive(statusCode, 'record'), {do: 'store', expires: undefined});
		t.like(receive(statusCode, 'record-missing'), {do: 'store', expires: undefined});
		t.like(receive(statusCode, 'replay'), {do: 'pass', reason: 'read-only'});
		t.deepEqual(receive(statusCode), {do: 'pass', reason: 'status-code'});
	}
});

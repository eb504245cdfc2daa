import test from 'ava';
import {settingsOfMode} from '../../source/policy/modes.ts';

test('a mode takes whatever comes, for good; none changes nothing', t => {
	t.deepEqual(settingsOfMode(undefined), {});
	for (const mode of ['record', 'replay', 'record-missing'] as const) {
		const {allowableCodes, allowableMethods, expireAfter, cacheControl} = settingsOfMode(mode);
		t.true(allowableCodes!.has(599));
		t.true(allowableMethods!.has('ANYTHING'));
		t.deepEqual(expireAfter, {kind: 'never'});
		t.false(cacheControl);
	}

	t.true(settingsOfMode('record').forceRefresh);
	t.like(settingsOfMode('replay'), {onlyIfCached: true, readOnly: true, forceRefresh: false});
});

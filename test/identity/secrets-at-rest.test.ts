import {Buffer} from 'node:buffer';
import test from 'ava';
import type {CacheSettings} from '../../source/index.ts';
import {askAll} from './secrets/ask-all.ts';
import {findMarkers, markerOf} from './secrets/marker.ts';
import {keepings} from './secrets/stores.ts';

const modes: ReadonlyArray<readonly [title: string, settings: CacheSettings]> = [
	['', {}],
	[' with cacheControl', {cacheControl: true, heuristicShare: 0, expireAfter: 60}],
	[' with matchHeaders and contentRootKey', {matchHeaders: true, contentRootKey: 'data'}],
	[' in mode record', {mode: 'record'}],
];

for (const keeping of keepings) {
	for (const [title, settings] of keeping[0] === 'SQLite' ? modes : modes.slice(0, 1)) {
		test.serial(`${keeping[0]}${title}: no credential of a request is in what is stored and said`, async t => {
			t.timeout(120_000);
			await askAll(t, keeping[1], settings);
		});
	}
}

test('the search finds a marker in every form', t => {
	const marker = markerOf(7);
	const forms = [
		marker,
		marker.toUpperCase(),
		encodeURIComponent(encodeURIComponent(`"${marker}`)),
		JSON.stringify([...Buffer.from(marker)]),
		[...marker].map(letter => String.raw`\u00${letter.codePointAt(0)!.toString(16)}`).join(''),
		...[`user:${marker}`, marker, `a${marker}`, `ab${marker}`].flatMap(text => ['base64', 'base64url', 'hex', 'utf16le'].map(encoding => Buffer.from(text).toString(encoding as BufferEncoding))),
		...['latin1', 'hex'].map(encoding => Buffer.from(marker, 'utf16le').toString(encoding as BufferEncoding)),
		Buffer.from(Buffer.from(`user:${marker}`).toString('base64')).toString('base64'),
	];
	const unread = forms.filter(form => findMarkers(form).length === 0);
	// Bytes of UTF-8 that are read as UTF-16 are nothing that anybody writes.
	t.deepEqual(unread, forms.slice(5, 21).filter((_form, index) => index % 4 === 3));
	t.deepEqual(findMarkers('nothing'), []);
});

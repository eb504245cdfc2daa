import test from 'ava';
import {CacheHooksError, HttpCache, type CacheSettings} from '../../source/index.ts';
import {type Fields, maxTags} from '../../source/policy/fields.ts';
import {onResponse} from '../../source/policy/response-rules.ts';
import {storageRules} from '../../source/policy/storage-rules.ts';
import type {PolicySettings} from '../../source/policy/types.ts';
import {
	byOrigin,
	facts,
	start,
	storedHead,
	tags,
} from '../helpers/policy.ts';

/** A response for which one rule holds, as the origin sends it, as a 304 updates a stored response to it, and as a user saves it. */
type Case = {
	readonly status?: number;
	readonly fields?: Fields;
	readonly settings?: Partial<PolicySettings>;
	readonly storeAs?: 'GET';

	/** With these settings, the rule holds for `cache.save()`, if for any settings. */
	readonly saveSettings?: CacheSettings;
};

/** What happens to a new response, to a stored one with a new response or a 304, and to what is saved. */
type Effects = {
	/** The reason, and whether the stored response is deleted. */
	readonly response: string;
	readonly notModified: 'store' | 'delete';

	/** The reason, or `stored`. */
	readonly save: string;
};

const maxAge = {'cache-control': 'max-age=60'};
const origin = {cacheControl: true};

// One case for each row of `storageRules`, in their order.
const table: ReadonlyArray<readonly [section: string, response: Case, effects: Effects]> = [
	['RFC 9111 §3.3', {status: 206, fields: {...maxAge, 'content-range': 'bytes 0-1/2'}}, {response: 'partial', notModified: 'store', save: 'partial'}],
	['RFC 9110 §15.5.13, §15.5.17', {status: 412, fields: maxAge}, {response: 'status-code', notModified: 'store', save: 'stored'}],
	['RFC 6585 §3, §4, §5, §6', {status: 429, fields: maxAge}, {response: 'status-code', notModified: 'store', save: 'stored'}],
	['RFC 9111 §3; setting allowableCodes', {
		status: 404, fields: maxAge, settings: {allowableCodes: new Set([200])}, saveSettings: {allowableCodes: [200]},
	}, {response: 'status-code', notModified: 'store', save: 'stored'}],
	['RFC 9111 §5.2.2.5', {fields: {'cache-control': 'no-store'}}, {response: 'no-store; deletes', notModified: 'delete', save: 'stored'}],
	['RFC 9111 §5.2.2.3', {status: 299, fields: {'cache-control': 'must-understand'}}, {response: 'must-understand; deletes', notModified: 'delete', save: 'stored'}],
	['RFC 9111 §4.1', {fields: {...maxAge, vary: '*'}}, {response: 'vary-star; deletes', notModified: 'delete', save: 'vary-star'}],
	['bound of tags', {fields: {...maxAge, 'cache-tag': tags(maxTags + 1)}}, {response: 'too-many-tags; deletes', notModified: 'delete', save: 'too-many-tags'}],
	['setting ignoredParameters', {fields: {...maxAge, link: '</?api_key=a>; rel=next'}}, {response: 'secret-in-header; deletes', notModified: 'store', save: 'secret-in-header'}],
	['setting expireAfter', {settings: {expireAfter: {kind: 'do-not-cache'}}, saveSettings: {expireAfter: 0x0D_0E_02_00_02_07_04}}, {response: 'do-not-cache', notModified: 'store', save: 'stored'}],
	['RFC 9110 §9.3.3', {fields: maxAge, storeAs: 'GET'}, {response: 'method', notModified: 'store', save: 'stored'}],
	['RFC 9111 §3', {status: 403, fields: {etag: '"a"'}}, {response: 'not-cacheable', notModified: 'store', save: 'stored'}],
];

test('each rule that forbids storing has a case', t => {
	t.deepEqual(table.map(([section]) => section), storageRules.map(({section}) => section));
});

for (const [section, {status = 200, fields = {}, settings, storeAs, saveSettings}, effects] of table) {
	const request = facts({settings: {...byOrigin, ...settings}});
	const exposesCredential = section === 'setting ignoredParameters';
	const times = {requested: start, received: start};

	test(`${section}: a response is not stored: ${effects.response}`, t => {
		const decision = onResponse(request, {statusCode: status, fields}, {
			stored: storedHead(), conditional: false, storeAs, exposesCredential,
		}, times);
		const [reason, deletes] = effects.response.split('; ', 2);
		t.like(decision, {do: 'pass', reason, stored: deletes === undefined ? undefined : 'delete'});
	});

	test(`${section}: the effect of a 304 is ${effects.notModified}`, t => {
		const {'content-range': _, ...updated} = fields as Record<string, string>;
		const decision = onResponse(request, {statusCode: 304, fields: updated}, {
			stored: storedHead({statusCode: status, fields: {etag: fields.etag}}), conditional: true, storeAs, exposesCredential,
		}, times);
		t.like(decision, {do: 'freshen', effect: effects.notModified});
	});

	test(`${section}: cache.save() gives ${effects.save}`, async t => {
		await using cache = new HttpCache({store: 'memory', ...origin, ...saveSettings});
		const save = async (): Promise<unknown> => cache.save({url: 'https://example.com/'}, {statusCode: status, headers: fields});
		if (effects.save === 'stored') {
			await t.notThrowsAsync(save);
		} else {
			await t.throwsAsync(save, {instanceOf: CacheHooksError, code: 'ERR_NOT_STORABLE', message: new RegExp(`\`${effects.save}\`\\.$`, 'v')});
		}
	});
}

import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {encrypted, signed, type EncryptedOptions} from '../../../source/entry/serializers/cryptography.ts';
import {initSerializer} from '../../../source/entry/serializers/pipeline.ts';
import {
	UnreadableError,
	type Stage,
	type StageContext,
	type UnreadableReason,
} from '../../../source/entry/serializers/stage.ts';
import {
	context,
	encryptionKey,
	facts,
	response,
} from './samples.ts';

const stored = response(JSON.stringify({items: Array.from({length: 100}, (_, index) => ({id: index}))}));
const otherKey: StageContext = {...context, key: 'http_cache:1:other'};

const dumps = (stage: Stage): Uint8Array => initSerializer(stage).dumps(stored, context) as Uint8Array;

function refused(t: ExecutionContext, reason: UnreadableReason, read: () => unknown): void {
	t.is(t.throws(read, {instanceOf: UnreadableError, code: 'ERR_SERIALIZER_UNREADABLE'})?.reason, reason);
}

function changed(bytes: Uint8Array, index: number): Uint8Array {
	const copy = Uint8Array.from(bytes);
	copy[index]! ^= 1; // eslint-disable-line no-bitwise
	return copy;
}

test('a signed entry that was changed, moved, or signed with another secret cannot be read', t => {
	const pipeline = initSerializer(signed({secret: 'secret'}));
	const bytes = dumps(signed({secret: 'secret'}));
	t.deepEqual(facts(pipeline.loads(bytes, context) as typeof stored), facts(stored));
	for (let index = 4; index < bytes.byteLength; index++) {
		refused(t, 'signature', () => pipeline.loads(changed(bytes, index), context));
	}

	refused(t, 'signature', () => pipeline.loads(bytes, otherKey));
	refused(t, 'signature', () => initSerializer(signed({secret: Buffer.from('other')})).loads(bytes, context));
	refused(t, 'truncated', () => pipeline.loads(bytes.subarray(0, 20), context));
	refused(t, 'signature', () => pipeline.loads(bytes.subarray(0, 100), context));
});

test('an encrypted entry that was changed, moved, or encrypted with another key cannot be read', t => {
	const pipeline = initSerializer(encrypted({key: encryptionKey}));
	const bytes = dumps(encrypted({key: encryptionKey}));
	t.deepEqual(facts(pipeline.loads(bytes, context) as typeof stored), facts(stored));
	for (let index = 4; index < bytes.byteLength; index++) {
		refused(t, index < 12 ? 'key' : 'signature', () => pipeline.loads(changed(bytes, index), context));
	}

	refused(t, 'signature', () => pipeline.loads(bytes, otherKey));
	refused(t, 'key', () => initSerializer(encrypted({key: randomBytes(32)})).loads(bytes, context));
	refused(t, 'truncated', () => pipeline.loads(bytes.subarray(0, 30), context));
	refused(t, 'signature', () => pipeline.loads(bytes.subarray(0, 100), context));
});

test('an encrypted entry reveals nothing about the response, and no two are equal', t => {
	const stage = encrypted({key: encryptionKey});
	const [first, second] = [Buffer.from(dumps(stage)), Buffer.from(dumps(stage))];
	t.false(first.includes('example.com') || first.includes('ETag') || first.includes('items'));
	t.false(first.equals(second));
	t.false(first.subarray(12, 24).equals(second.subarray(12, 24)));
});

test('keys can be rotated: the first encrypts, and all decrypt', t => {
	const [old, latest] = [randomBytes(32), randomBytes(32)];
	const before = dumps(encrypted({key: old.toString('hex')}));
	const rotated = initSerializer(encrypted({keys: [latest.toString('base64'), old]}));
	t.deepEqual(facts(rotated.loads(before, context) as typeof stored), facts(stored));

	const after = rotated.dumps(stored, context) as Uint8Array;
	t.deepEqual(facts(initSerializer(encrypted({key: latest})).loads(after, context) as typeof stored), facts(stored));
	refused(t, 'key', () => initSerializer(encrypted({key: old})).loads(after, context));
});

test('invalid options are refused, and secrets are not shown', t => {
	const secret = 'a secret that is not long enough';
	const wrong = [
		() => encrypted({key: secret}),
		() => encrypted({keys: [encryptionKey, secret]}),
		() => encrypted({keys: secret as never}),
		() => encrypted({keys: []}),
		() => encrypted({} as EncryptedOptions),
		() => encrypted({key: encryptionKey, keys: [encryptionKey]}),
		() => encrypted({key: encryptionKey, [secret.slice(0, 3)]: secret}),
		() => encrypted(secret as never),
		() => signed({secret: ''}),
		() => signed({secret: 1 as never}),
		() => signed(secret as never),
	];
	for (const make of wrong) {
		const error = t.throws(make, {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'});
		t.false(error?.message.includes(secret));
	}
});

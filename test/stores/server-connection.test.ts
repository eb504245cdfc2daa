import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {ServerConnection} from '../../source/stores/server-connection.ts';

type Link = {readonly number: number};

/** Connects by hand: each connection waits until the test opens it. */
function setUp(isShared = false) {
	const opening: Array<PromiseWithResolvers<Link>> = [];
	const disconnected: number[] = [];
	const connection = new ServerConnection<Link>({
		name: 'Test',
		limits: {
			cacheName: '', connectionTimeout: 5, commandTimeout: 5, now: Date.now,
		},
		isShared,
		async connect() {
			const link = Promise.withResolvers<Link>();
			opening.push(link);
			return link.promise;
		},
		async disconnect({number}) {
			disconnected.push(number);
		},
		isLost: (_link, error) => (error as Error).message === 'lost',
	});
	const open = (number: number) => {
		opening[number]!.resolve({number});
	};

	return {
		connection, open, opening, disconnected,
	};
}

const numberOf = async ({number}: Link) => number;

test('calls use one connection, and one that opens after the time limit of its first call is not used', async t => {
	const {connection, open, opening, disconnected} = setUp();
	await t.throwsAsync(async () => connection.run('get', numberOf), {code: 'ERR_STORE_TIMEOUT'});
	const second = connection.run('get', numberOf);
	open(0);
	await opening[0]!.promise;
	open(1);
	t.is(await second, 1);
	t.is(await connection.run('get', numberOf), 1);
	t.is(opening.length, 2);
	t.deepEqual(disconnected, [0]);
});

test('after a call that loses the connection, the next call opens another one', async t => {
	const {connection, open, opening, disconnected} = setUp();
	const first = connection.run('get', numberOf);
	open(0);
	t.is(await first, 0);
	await t.throwsAsync(async () => connection.run('get', async () => {
		throw new Error('another fault');
	}), {message: 'another fault'});
	t.is(await connection.run('get', numberOf), 0);
	await t.throwsAsync(async () => connection.run('get', async () => {
		throw new Error('lost');
	}), {message: 'lost'});
	const next = connection.run('get', numberOf);
	open(1);
	t.is(await next, 1);
	t.is(opening.length, 2);
	t.deepEqual(disconnected, [0]);
});

test('a connection that fails is opened again by the next call', async t => {
	const {connection, open, opening} = setUp();
	const first = connection.run('get', numberOf);
	opening[0]!.reject(new Error('refused'));
	await t.throwsAsync(async () => first, {message: 'refused'});
	const next = connection.run('get', numberOf);
	open(1);
	t.is(await next, 1);
});

test('a connection that belongs to the user is asked for by each call', async t => {
	const {connection, open, opening} = setUp(true);
	for (const number of [0, 1]) {
		const call = connection.run('get', numberOf);
		open(number);
		t.is(await call, number);
	}

	t.is(opening.length, 2);
});

test('a driver that throws rejects the call, and calls that have ended do not count as waiting', async t => {
	const {connection, open} = setUp();
	const first = connection.run('get', numberOf);
	open(0);
	await first;
	const never = Promise.withResolvers<never>();
	for (let count = 0; count < 10_000; count++) {
		await t.throwsAsync(connection.run('get', () => {
			throw new Error('a fault of the driver');
		}), {message: 'a fault of the driver'});
	}

	t.is(await connection.run('get', numberOf), 0);
	const waiting = Array.from({length: 10_000}, async () => connection.run('get', async () => never.promise));
	await t.throwsAsync(async () => connection.run('get', numberOf), {code: 'ERR_STORE_BUSY'});
	await Promise.allSettled(waiting);
	await t.throwsAsync(async () => connection.run('get', numberOf), {code: 'ERR_STORE_BUSY'}, 'the driver still waits');
	never.reject(new Error('at last'));
	await nextTurn();
	const next = connection.run('get', numberOf);
	open(1);
	t.is(await next, 1);
});

import test from 'ava';
import {ServerConnection} from '../../source/stores/server-connection.ts';

type Link = {readonly number: number};

/** Connects by hand: each connection waits until the test opens it. */
function setUp(isShared = false) {
	const opening: Array<PromiseWithResolvers<Link>> = [];
	const disconnected: number[] = [];
	// A busy machine must not make a call time out.
	const limits = {
		cacheName: '', connectionTimeout: 60_000, commandTimeout: 0, now: Date.now,
	};
	const connection = new ServerConnection<Link>({
		name: 'Test',
		limits,
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
		connection, limits, open, opening, disconnected,
	};
}

const numberOf = async ({number}: Link) => number;

test('calls use one connection, and one that opens after the time limit of its first call is not used', async t => {
	const {connection, limits, open, opening, disconnected} = setUp();
	limits.connectionTimeout = 5;
	await t.throwsAsync(async () => connection.run('get', numberOf), {code: 'ERR_STORE_TIMEOUT'});
	limits.connectionTimeout = 60_000;
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

test('a driver that throws rejects the call', async t => {
	const {connection, open} = setUp();
	const first = connection.run('get', numberOf);
	open(0);
	await first;
	await t.throwsAsync(connection.run('get', () => {
		throw new Error('a fault of the driver');
	}), {message: 'a fault of the driver'});
	t.is(await connection.run('get', numberOf), 0);
});

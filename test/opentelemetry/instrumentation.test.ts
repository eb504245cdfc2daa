import {spawnSync} from 'node:child_process';
import {channel, subscribe, unsubscribe} from 'node:diagnostics_channel';
import {readFileSync} from 'node:fs';
import process from 'node:process';
import {
	diag,
	DiagLogLevel,
	metrics,
	trace,
	type MeterProvider,
	type TracerProvider,
} from '@opentelemetry/api';
import test from 'ava';
import {SettingError} from '../../source/index.ts';
import {GotCacheInstrumentation} from '../../source/opentelemetry/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {startTelemetry, valuesBy, type Point} from './telemetry.ts';

const result = 'got_cache_hooks.result';

const events = [
	'hit',
	'stale',
	'revalidated',
	'miss',
	'bypassed',
	'stored',
	'refused',
	'deleted',
	'expired',
	'evicted',
	'storeError',
	'settingError',
	'backgroundError',
	'internalError',
	'circuit',
	'storeCall',
];

function listened(): readonly string[] {
	return events.filter(event => channel(`got-cache-hooks:${event}`).hasSubscribers);
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('content');
	});
}

/** What `registerInstrumentations` of `@opentelemetry/instrumentation` 0.2 does. */
function register(instrumentation: GotCacheInstrumentation, {tracerProvider, meterProvider}: {readonly tracerProvider: TracerProvider; readonly meterProvider: MeterProvider}): void {
	instrumentation.setTracerProvider(tracerProvider);
	instrumentation.setMeterProvider(meterProvider);
	if (instrumentation.getConfig().enabled !== true) {
		instrumentation.enable();
	}
}

test.serial('enabled twice it counts once, disabled it leaves no listener, and enabled again it goes on', async t => {
	t.deepEqual(listened(), []);
	const {instrumentation, points} = startTelemetry(t);
	t.deepEqual(listened(), events);
	await using origin = await startOrigin();
	const {client} = createClient();
	const count = async (): Promise<Record<string, number>> => valuesBy(await points('got_cache_hooks.requests'), result);

	instrumentation.enable();
	await client(`${origin.url}/a`);
	t.deepEqual(await count(), {miss: 1});
	instrumentation.disable();
	instrumentation.disable();
	t.deepEqual(listened(), []);
	await client(`${origin.url}/a`);
	t.deepEqual(await count(), {miss: 1});
	instrumentation.enable();
	await client(`${origin.url}/a`);
	t.deepEqual(await count(), {miss: 1, hit: 1});
});

test.serial('it is registered like the instrumentations of OpenTelemetry, also after it was disabled', async t => {
	const {instrumentation, meterProvider, points} = startTelemetry(t, {enabled: false});
	t.deepEqual(listened(), []);
	t.false(instrumentation.getConfig().enabled);
	await using origin = await startOrigin();
	const {client} = createClient();
	for (let round = 0; round < 2; round++) {
		register(instrumentation, {tracerProvider: trace.getTracerProvider(), meterProvider});
		register(instrumentation, {tracerProvider: trace.getTracerProvider(), meterProvider});
		await client(`${origin.url}/a`);
		instrumentation.disable();
	}

	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), result), {miss: 1, hit: 1});
	instrumentation.setConfig({});
	t.true(instrumentation.getConfig().enabled);
	instrumentation.setConfig({enabled: false});
	t.deepEqual(listened(), []);
});

test.serial('metrics go to the global provider, also if it is set after the first request', async t => {
	const {instrumentation, meterProvider, points} = startTelemetry(t, {enabled: false});
	t.false(instrumentation.getConfig().enabled);
	const global = new GotCacheInstrumentation();
	t.teardown(() => {
		global.disable();
		metrics.disable();
	});
	await using origin = await startOrigin();
	const {client} = createClient();
	await client(`${origin.url}/a`);
	metrics.setGlobalMeterProvider(meterProvider);
	await client(`${origin.url}/a`);
	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), result), {hit: 1});
});

test.serial('`attributes` adds to the span and to the counters of an answer', async t => {
	const {inSpan, points} = startTelemetry(t, {attributes: ({url, store}) => ({'server.address': new URL(url).hostname, tier: store, [result]: 'overwritten'})});
	await using origin = await startOrigin();
	const {client} = createClient();
	t.like(await inSpan(() => client(origin.url)), {tier: 'memory', [result]: 'miss'});
	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), 'server.address', 'tier'), {'127.0.0.1 memory': 1});
});

for (const returned of [undefined, null, 'text', ['item'], 1]) {
	test.serial(`\`attributes\` may return ${JSON.stringify(returned) ?? 'undefined'}, which adds nothing`, async t => {
		const {points} = startTelemetry(t, {attributes: () => returned as never});
		await using origin = await startOrigin();
		const {client} = createClient();
		await client(origin.url);
		const [{attributes}] = await points('got_cache_hooks.requests') as [Point];
		t.deepEqual(Object.keys(attributes).toSorted(), ['got_cache_hooks.cache_name', 'got_cache_hooks.reason', result, 'got_cache_hooks.store', 'http.request.method']);
	});
}

test.serial('`attributes` that fails is reported to the logger of OpenTelemetry, and harms neither the request nor its count', async t => {
	const reports: unknown[][] = [];
	const ignore = (): void => {};
	diag.setLogger({
		error(...values) {
			reports.push(values);
		},
		warn: ignore,
		info: ignore,
		debug: ignore,
		verbose: ignore,
	}, {logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true});
	t.teardown(() => {
		diag.disable();
	});
	const failure = new Error('of this test');
	const {points} = startTelemetry(t, {
		attributes() {
			throw failure;
		},
	});
	await using origin = await startOrigin();
	const {client} = createClient();
	t.is(await client(origin.url).text(), 'content');
	t.deepEqual(reports, [['got-cache-hooks', 'The function `attributes` failed.', failure]]);
	t.is((await points('got_cache_hooks.requests')).length, 1);
});

test.serial('other listeners of the channels stay', t => {
	const listener = (): void => {};
	subscribe('got-cache-hooks:hit', listener);
	const {instrumentation} = startTelemetry(t);
	instrumentation.disable();
	t.deepEqual(listened(), ['hit']);
	t.true(unsubscribe('got-cache-hooks:hit', listener));
});

test.serial('unknown and wrong options are refused with what is allowed', t => {
	const wrong: ReadonlyArray<readonly [config: unknown, message: RegExp]> = [
		[{enable: true}, /^Unknown option `config\.enable`\. Did you mean `enabled`\?/v],
		[{enabled: 'no'}, /^Expected `config\.enabled` to be a boolean, got string "no"/v],
		[{attributes: {team: 'a'}}, /^Expected `config\.attributes` to be a function `\(answer\) => attributes`/v],
		['enabled', /^Expected `config` to be an object/v],
		[null, /^Expected `config` to be an object/v],
	];
	for (const [config, message] of wrong) {
		t.throws(() => new GotCacheInstrumentation(config as object), {instanceOf: SettingError, message});
	}

	t.deepEqual(listened(), []);
});

test('the library loads neither it nor OpenTelemetry, and it loads no Got', t => {
	const loaded = (specifier: string): string => {
		const code = `
			import {registerHooks} from 'node:module';
			registerHooks({
				load(url, context, nextLoad) {
					console.log(url);
					return nextLoad(url, context);
				},
			});
			await import(${JSON.stringify(new URL(`../../source/${specifier}`, import.meta.url).href)});
		`;
		return spawnSync(process.execPath, ['--input-type=module', '--eval', code], {cwd: import.meta.dirname, encoding: 'utf8'}).stdout;
	};

	for (const entry of ['index.ts', 'register.ts', 'stores/dynamodb/index.ts']) {
		t.regex(loaded(entry), /source\/errors\.ts/v);
		t.notRegex(loaded(entry), /opentelemetry/v);
	}

	t.regex(loaded('opentelemetry/index.ts'), /@opentelemetry\/api/v);
	t.notRegex(loaded('opentelemetry/index.ts'), /node_modules\/got\//v);
});

test('its name and version are those of the package', t => {
	const {name, version} = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {readonly name: string; readonly version: string};
	const instrumentation = new GotCacheInstrumentation({enabled: false});
	t.is(instrumentation.instrumentationName, name);
	t.is(instrumentation.instrumentationVersion, version);
});

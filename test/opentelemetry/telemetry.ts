import {context, type Attributes, type Tracer} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {
	AggregationTemporality,
	InMemoryMetricExporter,
	MeterProvider,
	PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor} from '@opentelemetry/sdk-trace-base';
import type {ExecutionContext} from 'ava';
import {GotCacheInstrumentation, type GotCacheInstrumentationConfig} from '../../source/opentelemetry/index.ts';

/** What an instrument has counted or measured for one combination of attributes. */
export type Point = {readonly attributes: Attributes; readonly value: number};

export type Telemetry = {
	readonly instrumentation: GotCacheInstrumentation;
	readonly meterProvider: MeterProvider;
	readonly tracer: Tracer;

	/** Runs a function in a span of its own, and returns the attributes of the span at its end. */
	readonly inSpan: (run: () => unknown) => Promise<Attributes>;

	/** Returns the points of an instrument; for a histogram, with the number of its values. */
	readonly points: (name: string) => Promise<readonly Point[]>;

	/** Returns the names of all instruments that have points, with their units. */
	readonly instruments: () => Promise<Readonly<Record<string, string>>>;
};

const longest = 2_147_483_647;

/** Starts the SDK of OpenTelemetry with exporters in memory, and an instrumentation that is disabled at the end of the test. It sees all caches of the process: such tests run one after the other. */
export function startTelemetry(t: ExecutionContext, config: GotCacheInstrumentationConfig = {}): Telemetry {
	const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
	const reader = new PeriodicExportingMetricReader({exporter, exportIntervalMillis: longest, exportTimeoutMillis: longest});
	const meterProvider = new MeterProvider({readers: [reader]});
	const spans = new InMemorySpanExporter();
	const tracer = new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(spans)]}).getTracer('test');
	context.setGlobalContextManager(new AsyncLocalStorageContextManager());
	const instrumentation = new GotCacheInstrumentation(config);
	instrumentation.setMeterProvider(meterProvider);
	t.teardown(async () => {
		instrumentation.disable();
		context.disable();
		await meterProvider.shutdown();
	});

	const collect = async () => {
		const {resourceMetrics} = await reader.collect();
		return resourceMetrics.scopeMetrics.flatMap(({metrics}) => metrics);
	};

	return {
		instrumentation,
		meterProvider,
		tracer,
		async inSpan(run) {
			return tracer.startActiveSpan('test', async span => {
				await run();
				span.end();
				return spans.getFinishedSpans().find(finished => finished.spanContext().spanId === span.spanContext().spanId)!.attributes;
			});
		},
		async points(name) {
			const metrics = await collect();
			const found = metrics.find(({descriptor}) => descriptor.name === name)?.dataPoints ?? [];
			return found.map(({attributes, value}) => ({attributes, value: typeof value === 'number' ? value : value.count}));
		},
		async instruments() {
			const metrics = await collect();
			return Object.fromEntries(metrics.map(({descriptor: {name, unit}}) => [name, unit]));
		},
	};
}

/** Returns the value by some of the attributes, in the order in which they were first seen: `{'miss status-code': 1}`. */
export function valuesBy(points: readonly Point[], ...names: readonly string[]): Record<string, number> {
	const values: Record<string, number> = {};
	for (const {attributes, value} of points) {
		const key = names.map(name => attributes[name] ?? '-').join(' ');
		values[key] = (values[key] ?? 0) + value;
	}

	return values;
}

/*
`node examples/opentelemetry.ts [URL]`: OpenTelemetry counts what the cache does, and the span of each request says what answered it. The exporters hold in memory what a program would send to its collector.
*/
import process from 'node:process';
import {context, metrics, trace} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {
	AggregationTemporality,
	type Histogram,
	InMemoryMetricExporter,
	MeterProvider,
	PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor} from '@opentelemetry/sdk-trace-base';
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';
import {GotCacheInstrumentation} from 'got-cache-hooks/opentelemetry';

const url = process.argv[2] ?? 'https://example.com/';

const spans = new InMemorySpanExporter();
const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const meterProvider = new MeterProvider({readers: [new PeriodicExportingMetricReader({exporter: points, exportIntervalMillis: 60_000})]});
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
trace.setGlobalTracerProvider(new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(spans)]}));
metrics.setGlobalMeterProvider(meterProvider);
const instrumentation = new GotCacheInstrumentation();

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
for (const name of ['first', 'second']) {
	await trace.getTracer('example').startActiveSpan(name, async span => {
		await client(url);
		span.end();
	});
}

for (const {name, attributes} of spans.getFinishedSpans()) {
	console.log(`${name}: ${String(attributes['got_cache_hooks.result'])}, because ${String(attributes['got_cache_hooks.reason'])}`);
}

await meterProvider.forceFlush();
const instruments = points.getMetrics().flatMap(({scopeMetrics}) => scopeMetrics.flatMap(scope => scope.metrics));
for (const {descriptor: {name, unit}, dataPoints} of instruments) {
	for (const {attributes, value} of dataPoints) {
		console.log(name, typeof value === 'number' ? `${value} ${unit}` : `${(value as Histogram).count} calls`, attributes);
	}
}

instrumentation.disable();
await meterProvider.shutdown();

import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {
	diag,
	metrics,
	type Attributes,
	type DiagLogger,
	type MeterProvider,
	type TracerProvider,
} from '@opentelemetry/api';
import type {AnswerEvent} from '../cache/types.ts';
import {
	asObject,
	boolean,
	functionOf,
	parseOptions,
	type Parsers,
} from '../parse.ts';
import {createHandlers, type Handlers} from './handlers.ts';
import {Instruments} from './instruments.ts';

/** The options of a `GotCacheInstrumentation`. */
export type GotCacheInstrumentationConfig = {
	/** Whether it is enabled when it is made. Default: `true`. */
	readonly enabled?: boolean;

	/**
	Returns more attributes for the span and the counters of an answer. Each combination of values is a time series of its own, so that a value must be one of a few. Default: none.

	@example
	```ts
	import {GotCacheInstrumentation} from 'got-cache-hooks/opentelemetry';

	const instrumentation = new GotCacheInstrumentation({attributes: ({url}) => ({'server.address': new URL(url).hostname})});
	console.log(instrumentation.getConfig().enabled);
	//=> true
	```
	*/
	readonly attributes?: (answer: AnswerEvent) => Attributes;
};

const parsers: Parsers<GotCacheInstrumentationConfig> = {
	enabled: boolean,
	attributes: functionOf('a function `(answer) => attributes`'),
};

const name = 'got-cache-hooks';

type Subscription = {readonly channel: string; readonly listener: (message: unknown) => void};

/**
An OpenTelemetry instrumentation of all caches of the process, whoever made them: it sets attributes on the span in which a request is made, and measures answers, writes, bytes, errors and the calls of stores. It creates no span.

It is made and registered like any other instrumentation. Its metrics go to the global meter provider, or to that of `setMeterProvider`.

@example
```ts
import {context, trace} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor} from '@opentelemetry/sdk-trace-base';
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';
import {GotCacheInstrumentation} from 'got-cache-hooks/opentelemetry';

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
trace.setGlobalTracerProvider(new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(exporter)]}));
new GotCacheInstrumentation();

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
await trace.getTracer('app').startActiveSpan('request', async span => {
	await client('https://api.example.com/users/1');
	span.end();
});
console.log(exporter.getFinishedSpans()[0].attributes['got_cache_hooks.result']);
//=> miss
```
*/
export class GotCacheInstrumentation {
	/** What OpenTelemetry calls it in its logs. */
	readonly instrumentationName: string = name;

	/** The version of this package. */
	readonly instrumentationVersion: string = '0.1.0';
	readonly #diag: DiagLogger = diag.createComponentLogger({namespace: name});
	readonly #handlers: Handlers = createHandlers(() => this.#currentInstruments(), answer => this.#attributesOf(answer));
	readonly #subscriptions: Subscription[] = [];
	#attributes: GotCacheInstrumentationConfig['attributes'];
	#meterProvider: MeterProvider | undefined;

	/** The instruments, and the provider that they are of. */
	#measured: {readonly provider: MeterProvider; readonly instruments: Instruments} | undefined;

	/**
	Enables it, unless `enabled` is `false`.

	@throws {TypeError} If an option is unknown or wrong.
	*/
	constructor(config: GotCacheInstrumentationConfig = {}) {
		this.setConfig(config);
	}

	/** Listens to the caches of this process from now on. */
	enable(): void {
		if (this.#subscriptions.length > 0) {
			return;
		}

		for (const [event, handle] of Object.entries<(event: never) => void>(this.#handlers)) {
			const listener = (message: unknown): void => {
				this.#handle(event, handle, message);
			};

			const channel = `${name}:${event}`;
			subscribe(channel, listener);
			this.#subscriptions.push({channel, listener});
		}
	}

	/** Stops listening. What was measured so far is still exported. */
	disable(): void {
		for (const {channel, listener} of this.#subscriptions.splice(0)) {
			unsubscribe(channel, listener);
		}
	}

	/**
	Replaces the options, and enables or disables it.

	@throws {TypeError} If an option is unknown or wrong.
	*/
	setConfig(config: GotCacheInstrumentationConfig): void {
		const {enabled = true, attributes} = parseOptions(parsers, config, 'config');
		this.#attributes = attributes;
		if (enabled) {
			this.enable();
		} else {
			this.disable();
		}
	}

	/** Returns the options. `enabled` says whether it is enabled now. */
	getConfig(): GotCacheInstrumentationConfig {
		return {enabled: this.#subscriptions.length > 0, ...(this.#attributes !== undefined && {attributes: this.#attributes})};
	}

	/** Measures with this provider instead of the global one. */
	setMeterProvider(provider: MeterProvider): void {
		this.#meterProvider = provider;
	}

	/** Does nothing, since this instrumentation creates no span. OpenTelemetry calls it on each instrumentation. */
	setTracerProvider(_provider: TracerProvider): void {} // eslint-disable-line @typescript-eslint/no-empty-function

	/** Returns the attributes of the user. An answer is counted without them if the function fails. */
	#attributesOf(answer: AnswerEvent): Attributes {
		try {
			return (asObject(this.#attributes?.(answer)) ?? {}) as Attributes;
		} catch (error) {
			this.#diag.error('The function `attributes` failed.', error);
			return {};
		}
	}

	#handle(event: string, handle: (event: never) => void, message: unknown): void {
		// What a listener of a diagnostics channel throws ends the process.
		try {
			handle(message as never);
		} catch (error) {
			this.#diag.error(`The event \`${event}\` could not be measured.`, error);
		}
	}

	/** Returns the instruments of the provider that measures now: a program may set the global one later. */
	#currentInstruments(): Instruments {
		const provider = this.#meterProvider ?? metrics.getMeterProvider();
		if (this.#measured?.provider !== provider) {
			this.#measured = {provider, instruments: new Instruments(provider.getMeter(name, this.instrumentationVersion))};
		}

		return this.#measured.instruments;
	}
}

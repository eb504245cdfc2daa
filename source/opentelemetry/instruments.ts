import type {
	Attributes,
	Counter,
	Histogram,
	Meter,
} from '@opentelemetry/api';

/** What is counted, by the name of its instrument. */
const counters = {
	'got_cache_hooks.requests': {unit: '{request}', description: 'Requests and decorated calls, by what answered them and why.'},
	'got_cache_hooks.refreshes': {unit: '{request}', description: 'Refreshes in the background, by how they ended.'},
	'got_cache_hooks.served': {unit: 'By', description: 'Bytes of stored bodies that were served.'},
	'got_cache_hooks.writes': {unit: '{response}', description: 'Responses of origins that were stored or refused.'},
	'got_cache_hooks.stored': {unit: 'By', description: 'Bytes of responses that were stored, with their headers.'},
	'got_cache_hooks.removals': {unit: '{entry}', description: 'Entries that were deleted, expired or evicted.'},
	'got_cache_hooks.errors': {unit: '{error}', description: 'Faults of stores, of functions in the settings, of refreshes and of the library.'},
	'got_cache_hooks.circuit_changes': {unit: '{change}', description: 'Changes of the circuit breakers of stores.'},
} as const;

export type CounterName = keyof typeof counters;

/** The bounds of the buckets of the duration of calls, in seconds: from a store in memory to one that exceeds its time limit. */
const durationBounds = [0.00001, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** The instruments of one meter. */
export class Instruments {
	readonly #counters: Readonly<Record<CounterName, Counter>>;
	readonly #storeDuration: Histogram;

	constructor(meter: Meter) {
		this.#counters = Object.fromEntries(Object.entries(counters).map(([name, options]) => [name, meter.createCounter(name, options)])) as Record<CounterName, Counter>;
		this.#storeDuration = meter.createHistogram('got_cache_hooks.store.duration', {
			unit: 's',
			description: 'Duration of the calls of stores.',
			advice: {explicitBucketBoundaries: durationBounds},
		});
	}

	add(name: CounterName, value: number, attributes: Attributes): void {
		this.#counters[name].add(value, attributes);
	}

	/** Records the duration of a call of a store, in milliseconds. */
	recordStoreCall(milliseconds: number, attributes: Attributes): void {
		this.#storeDuration.record(milliseconds / 1000, attributes);
	}
}

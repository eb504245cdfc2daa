import type {ResolvedSettings} from '../settings/settings.ts';
import {Circuits} from '../stores/circuits.ts';
import {guardStore} from '../stores/guard.ts';
import {openStore} from '../stores/open.ts';
import type {Store} from '../stores/types.ts';
import type {Reporter} from './reporter.ts';

// The least time limit of the calls by which a user manages the cache, in milliseconds: no request waits for them.
const managementTimeout = 30_000;

/** The store of a cache, as each of its callers uses it. */
export type CacheStore = {
	/** The store as it was opened, without time limit and circuit breaker. */
	readonly opened: Store;

	/** For the entries of requests: a fault is a miss and an event, unless `failFast` is set. */
	readonly forRequests: Store;

	/** For records: it throws faults, since a record that cannot be read may still exist. */
	readonly forRecords: Store;

	/** For the methods of `HttpCache`: it throws faults, and has a longer time limit. */
	readonly forManagement: Store;
	readonly managementTimeout: number;

	/** `undefined` with `failFast`. */
	readonly circuits: Circuits | undefined;
	readonly cacheName: string;

	/** Whether the cache was made to be read only: nothing reaches the store that would change it. */
	readonly isReadOnly: boolean;

	/** Whether the cache closes the store. */
	readonly closes: boolean;
};

/**
Opens the store that the settings name.

@param onFault - Called with each fault of a call for a request.
@throws {TypeError} If `store` is not a known kind of store.
*/
export function openCacheStore(settings: ResolvedSettings, reporter: Reporter, onFault: (error: unknown) => void): CacheStore {
	const {store, storeTimeout, failFast, autoclose} = settings;
	const {store: opened, owned, isReadOnly, cacheName} = openStore(store, {
		cacheName: settings.cacheName,
		now: settings.now,
		maxBytes: settings.maxBytes,
		maxEntries: settings.maxEntries,
		storeTimeout,
		readOnly: settings.readOnly || settings.mode === 'replay',
	});
	if (settings.mode !== undefined) {
		opened.keepRecordings?.();
	}

	const circuits = failFast
		? undefined
		: new Circuits({
			storeName: opened.name,
			onCircuit(state, of) {
				reporter.emit('circuit', {state, of});
			},
			onOpen(error) {
				reporter.emit('storeError', {operation: 'circuit', error});
			},
		});
	const longTimeout = Math.max(storeTimeout, managementTimeout);
	return {
		opened,
		forRequests: guardStore(opened, {
			cacheName: settings.cacheName,
			timeout: storeTimeout,
			circuits,
			throws: failFast,
			onError(fault) {
				onFault(fault.error);
				reporter.emit('storeError', fault);
			},
		}),
		forRecords: guardStore(opened, {
			cacheName: settings.cacheName, timeout: storeTimeout, circuits, throws: true,
		}),
		forManagement: guardStore(opened, {cacheName: settings.cacheName, timeout: longTimeout, throws: true}),
		managementTimeout: longTimeout,
		circuits,
		cacheName,
		isReadOnly,
		closes: owned || autoclose,
	};
}

import type {ResolvedSettings} from '../settings/settings.ts';
import {Circuits} from '../stores/circuits.ts';
import {FilesystemStore} from '../stores/filesystem/store.ts';
import {guardStore} from '../stores/guard.ts';
import {lazyStore} from '../stores/lazy-store.ts';
import {openStore} from '../stores/open.ts';
import {readOnlyStore} from '../stores/read-only.ts';
import type {Store} from '../stores/types.ts';
import type {RecordingStore} from '../recordings/store.ts';
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
	const {store, storeTimeout, failFast, autoclose, recording} = settings;
	const {store: named, owned, isReadOnly, cacheName} = openStore(store, {
		cacheName: settings.cacheName,
		now: settings.now,
		maxBytes: settings.maxBytes,
		maxEntries: settings.maxEntries,
		storeTimeout,
		readOnly: settings.readOnly,
	});
	if (recording.keepsReadableFiles) {
		named.keepRecordings?.();
	}

	const opened = keepsReadableRecordings(named, settings) ? openRecordings(named, isReadOnly) : named;
	// One recording that cannot be read says nothing of the others.
	const circuits = failFast || recording.waitsForStore
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
			timeout: recording.waitsForStore ? longTimeout : storeTimeout,
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

/** Whether a cache keeps recordings as files that people read: in the folder of a `mode`, unless the settings name another form, or a cache without a mode has filled the folder. */
function keepsReadableRecordings(store: Store, {recording, serializer, decodeContent}: ResolvedSettings): store is FilesystemStore {
	return recording.keepsReadableFiles && store instanceof FilesystemStore && serializer === undefined && decodeContent === undefined && !store.hasFiles();
}

/** Returns the store of recordings in the folder of another store. Its module is loaded from now on, since most programs record nothing. */
function openRecordings({name, scope, path, location}: FilesystemStore, isReadOnly: boolean): Store {
	const store = lazyStore<RecordingStore>({
		name, valueType: 'objects', scope, path, methods: ['count', 'size'],
	}, async () => {
		const module = await import('../recordings/store.ts');
		return new module.RecordingStore(location, isReadOnly);
	});
	return isReadOnly ? readOnlyStore(store) : store;
}

import {openStore} from '../../../source/stores/open.ts';
import type {Store} from '../../../source/stores/types.ts';
import {
	makerOf,
	type AdapterPlace,
	type ShapeName,
	type SubjectName,
} from './subjects.ts';

/** Opens a store on an adapter of its own in another process, for `OtherProcess`. */
export async function open(cacheName: string, name: string, shape: string, place: string): Promise<Store> {
	const make = await makerOf(name as SubjectName, shape as ShapeName);
	const where = JSON.parse(place) as AdapterPlace;
	return openStore(make(where).setting, {cacheName: where.id + cacheName}).store;
}

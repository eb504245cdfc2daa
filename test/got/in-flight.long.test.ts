import test from 'ava';
import {majors} from '../helpers/clients.ts';
import {openedRedis, openedStores} from '../helpers/opened-stores.ts';
import {testColdRequests} from './cold-requests.ts';
import {testInvalidatedInFlight} from './invalidating.ts';

const open = await openedRedis(test, 'single flight and invalidation');

testInvalidatedInFlight(test, 'sqlite', openedStores.sqlite!);

if (open !== undefined) {
	for (const major of majors) {
		testColdRequests(test, major, ['redis', open]);
	}

	testInvalidatedInFlight(test, 'redis', open);
}

/*
Caches the results of a vendor's SDK, which does not go through Got, by the same rules as responses, and without decorators.

	node sdk-wrapper.ts
*/
import {
	cached,
	invalidate,
	withCacheSettings,
} from 'got-cache-hooks';

/** Stands for the vendor's. */
class WeatherSdk {
	calls = 0;
	isDown = false;

	async fetchForecast({city, days}: {readonly city: string; readonly days: number}): Promise<Map<string, number>> {
		this.calls++;
		if (this.isDown) {
			throw new Error('The service is down');
		}

		return new Map(Array.from({length: days}, (_, day) => [`${city}, day ${day + 1}`, 20 + day]));
	}
}

const sdk = new WeatherSdk();
const forecast = cached(
	async (query: {readonly city: string; readonly days: number}) => sdk.fetchForecast(query),
	'1h',
	{result: true, name: 'forecast', staleIfError: true},
);

const main = withCacheSettings({store: 'memory'}, async () => {
	await Promise.all([forecast({city: 'Oslo', days: 2}), forecast({days: 2, city: 'Oslo'})]);
	console.log('two at once:', sdk.calls, 'call');

	await forecast({city: 'Oslo', days: 2});
	console.log('once more:', sdk.calls, 'call');

	await invalidate(forecast, {city: 'Oslo', days: 2});
	console.log([...await forecast({city: 'Oslo', days: 2})]);
	console.log('after it was invalidated:', sdk.calls, 'calls');
});

await main();

/**
What a decorated method costs beside the call of a plain one: medians, for methods that do nothing else. The wrapped method is to cost under 3 µs; it is an error where it does not.

Run it with `node bench/decorators.ts`.
*/
import process from 'node:process';
import {Bench} from 'tinybench';
import {cached, cacheOf, withCacheSettings} from '../source/index.ts';

const limit = 3;

class Plain {
	async ask(name: string): Promise<string> {
		return name;
	}

	give(name: string): string {
		return name;
	}
}

const decoratedClass = withCacheSettings({store: 'memory', staleIfError: true}, class {
	async ask(name: string): Promise<string> {
		return name;
	}

	give(name: string): string {
		return name;
	}

	async * generate(name: string): AsyncGenerator<string> {
		yield name;
	}
});
decoratedClass.prototype.ask = cached(Plain.prototype.ask, '5m');
decoratedClass.prototype.give = cached(Plain.prototype.give, '5m');

const plain = new Plain();
const decorated = new decoratedClass(); // eslint-disable-line new-cap -- A class is what it is.
const cache = cacheOf(decorated);
const kept = cached(async (name: string) => ({name}), '1h', {result: true, name: 'kept', cache});

const bench = new Bench({time: 1000, warmupTime: 200});
const batch = 100;

/** Many calls at a time: one is shorter than what the clock tells. */
function add(name: string, call: () => unknown): void {
	bench.add(name, async () => {
		for (let index = 0; index < batch; index++) {
			const result = call();
			if (result instanceof Promise) {
				await result;
			}
		}
	});
}

add('plain method', () => plain.give('ada'));
add('@Cached() method in a class with settings', () => decorated.give('ada'));
add('plain async method', () => plain.ask('ada'));
add('@Cached() async method in a class with settings', () => decorated.ask('ada'));
add('hit of a result that is kept in memory', () => kept('ada'));
await bench.run();

const medians = new Map(bench.tasks.map(({name, result}) => [name, 'latency' in result ? result.latency.p50 * 1000 / batch : NaN]));
for (const [name, median] of medians) {
	console.log(`${name.padEnd(50)} ${median.toFixed(2).padStart(8)} µs`);
}

const cost = (name: string, than: string): number => medians.get(name)! - medians.get(than)!;
const costs = [
	cost('@Cached() method in a class with settings', 'plain method'),
	cost('@Cached() async method in a class with settings', 'plain async method'),
];
console.log(`a wrapped method costs ${costs.map(one => one.toFixed(2)).join(' and ')} µs more`);
if (costs.some(one => !(one < limit))) {
	console.log(`which is over ${limit} µs`);
	process.exitCode = 1;
}

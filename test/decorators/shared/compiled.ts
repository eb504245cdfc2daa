/*
A small client that is compiled by each compiler with standard and legacy decorators.
*/
import got from 'got';
import {
	Cached,
	cacheHooks,
	cacheOf,
	CacheConfig,
	Invalidates,
	Refresh,
} from '../../../source/index.ts';

@CacheConfig({store: 'memory'})
class Client {
	static readonly label = 'client';
	calls = 0;
	readonly url: string;
	readonly #http = got.extend(cacheHooks({store: 'memory'}));

	constructor(url: string) {
		this.url = url;
	}

	@Cached('5m')
	page(path: string) {
		return this.#http(`${this.url}${path}`).text();
	}

	@Refresh()
	@Cached('5m')
	async latest(path: string): Promise<string> {
		return this.#http(`${this.url}${path}`).text();
	}

	@Cached('1h', {result: true})
	async count(name: string): Promise<string> {
		this.calls++;
		return `${name} ${this.calls}`;
	}

	@Cached('1h', {result: true})
	static async named(name: string): Promise<string> {
		return `${this.label} ${name}`;
	}

	@Cached('5m')
	get getter() {
		return async (path: string): Promise<string> => this.#http(`${this.url}${path}`).text();
	}

	@Invalidates({urls: ['*/page'], methods: ['count']})
	async change(): Promise<void> {
		await this.#http.post(`${this.url}/change`);
	}
}

/** Returns what the client receives. The origin responds with the number of the request. */
export async function run(url: string): Promise<string[]> {
	const client = new Client(url);
	const seen = [
		await client.page('/page'),
		await client.page('/page'),
		await client.getter('/page'),
		await client.latest('/page'),
		await client.count('a'),
		await client.count('a'),
		await Client.named('b'),
	];
	await client.change();
	seen.push(await client.page('/page'), await client.count('a'));
	await cacheOf(client).clear();
	return seen;
}

import test from 'ava';
import type {Got} from 'got';
import {Cached, cacheInfo} from '../../../source/index.ts';
import {createClient} from '../../helpers/clients.ts';
import {Origin} from '../../helpers/origin.ts';

class Api {
	readonly #client: Got;
	readonly #url: string;
	count = 0;

	constructor(client: Got, url: string) {
		this.#client = client;
		this.#url = url;
	}

	@Cached(20)
	async #lifetime(): Promise<number> {
		const {createdAt, expires} = cacheInfo(await this.#client(this.#url, {context: {cache: {forceRefresh: true}}}));
		return (expires!.getTime() - createdAt!.getTime()) / 1000;
	}

	@Cached(30)
	accessor asked: () => Promise<number> = async () => this.lifetimeAs('asked');

	@Cached(40)
	get #hidden() {
		return async (): Promise<number> => this.lifetimeAs('hidden');
	}

	@Cached('1h', {result: true, name: 'Api.counted'})
	async #counted(): Promise<number> {
		this.count++;
		return this.count;
	}

	@Cached(50)
	static async #ofClass(api: Api): Promise<number> {
		return api.lifetimeAs('static');
	}

	async lifetimeAs(path: string): Promise<number> {
		const {createdAt, expires} = cacheInfo(await this.#client(`${this.#url}/${path}`));
		return (expires!.getTime() - createdAt!.getTime()) / 1000;
	}

	async all(): Promise<number[]> {
		return [await this.#lifetime(), await this.asked(), await this.#hidden(), await Api.#ofClass(this)];
	}

	@Cached(undefined, {result: true, keyFn: () => 'once', name: 'Api.twice'})
	async twice(): Promise<number[]> {
		return [await this.#counted(), await this.#counted()];
	}
}

test('standard: private methods, private getters and accessors use their settings', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('content');
	});
	const api = new Api(createClient().client, origin.url);
	t.deepEqual(await api.all(), [20, 30, 40, 50]);

	const {asked} = api;
	t.is(api.asked, asked);
	api.asked = async () => api.lifetimeAs('asked-anew');
	t.not(api.asked, asked);
	t.is(await api.asked(), 30);
});

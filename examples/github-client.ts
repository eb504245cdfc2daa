/*
A client written as a class with decorators, against an imitation of the API on loopback. Node.js alone knows no decorators: tsc, esbuild, tsx and swc compile them, and so does a small loader beside this file:

	node --import ./examples/transpile.js examples/github-client.ts
*/
import {createServer} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import got from 'got';
import {
	Cached,
	cacheHooks,
	cacheOf,
	CacheConfig,
	Invalidates,
	Uncached,
} from 'got-cache-hooks';

type Repo = {readonly name: string};

@CacheConfig({store: 'memory', expireAfter: '1m', staleIfError: true})
class GitHub {
	readonly #http;

	constructor(prefixUrl: string) {
		this.#http = got.extend(cacheHooks(), {prefixUrl});
	}

	@Cached('5m')
	user(name: string) {
		return this.#http(`users/${name}`).json<{readonly login: string}>();
	}

	@Cached('1h', {staleWhileRevalidate: '1d'})
	async repos(name: string): Promise<string[]> {
		const repos = await this.#http(`users/${name}/repos`).json<Repo[]>();
		return repos.map(repo => repo.name);
	}

	@Uncached()
	async rate(): Promise<number> {
		const {remaining} = await this.#http('rate_limit').json<{readonly remaining: number}>();
		return remaining;
	}

	@Invalidates((_self, name) => ({urls: [`*/users/${name}/repos`]}))
	async createRepo(name: string, repo: Repo): Promise<void> {
		await this.#http.post(`users/${name}/repos`, {json: repo});
	}
}

const repos: Repo[] = [{name: 'first'}];
let requests = 0;
const server = createServer((request, response) => {
	requests++;
	if (request.method === 'POST') {
		repos.push({name: 'second'});
	}

	request.resume();
	const answers: Readonly<Record<string, unknown>> = {
		'/users/ada': {login: 'ada'},
		'/users/ada/repos': repos,
		'/rate_limit': {remaining: 60 - requests},
	};
	response.end(JSON.stringify(answers[request.url!]));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const github = new GitHub(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
for (let round = 1; round <= 2; round++) {
	const {login} = await github.user('ada');
	console.log(login, await github.repos('ada'), `after ${requests} requests`);
}

console.log('rate', await github.rate(), await github.rate());
await github.createRepo('ada', {name: 'second'});
console.log('ada', await github.repos('ada'), `after ${requests} requests`);

await cacheOf(github).close();
server.closeAllConnections();
server.close();

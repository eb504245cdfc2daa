/*
A GitHub client that stays below its rate limit: the API says how long an answer is fresh, a validated answer (304) costs nothing, and once the limit is used up, what is stored is served instead of an error.

	GITHUB_TOKEN=… node github-rate-limits.ts

`GITHUB_API` names another server, as GitHub Enterprise or the origin of a test.
*/
import http from 'node:http';
import https from 'node:https';
import process from 'node:process';
import got, {type Response} from 'got';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

const {GITHUB_API: api = 'https://api.github.com', GITHUB_TOKEN: token} = process.env;

class GitHub {
	/** What the API said last: the requests that are left, and when there are new ones. */
	readonly limit = {remaining: Infinity, resetAt: 0};

	readonly client = got.extend(
		{
			prefixUrl: api,
			headers: {
				accept: 'application/vnd.github+json',
				'user-agent': 'got-cache-hooks example',
				...token !== undefined && {authorization: `Bearer ${token}`},
			},
			// Only what is sent goes through this function: a hit is not held back by the limit.
			request: (url, options, callback) => {
				if (this.limit.remaining === 0 && this.limit.resetAt > Date.now()) {
					throw new Error(`The rate limit is used up until ${new Date(this.limit.resetAt).toISOString()}`);
				}

				return (url.protocol === 'https:' ? https : http).request(url, options, callback);
			},
			hooks: {
				afterResponse: [response => {
					this.#readLimit(response);
					return response;
				}],
			},
		},
		// The API says `Cache-Control: max-age=60` and sends an `ETag`. What it answered in the last week stands in for a failure.
		cacheHooks({cacheName: 'github', cacheControl: true, staleIfError: '7 days'}),
	);

	async stars(repository: string): Promise<string> {
		const response = await this.client<{stargazers_count: number}>(`repos/${repository}`, {responseType: 'json'});
		return `${repository}: ${response.body.stargazers_count} stars (${cacheInfo(response).reason}), ${this.limit.remaining} requests left`;
	}

	#readLimit(response: Response): void {
		// A stored response has the limit of the time when it was stored. A 304 brings the present one.
		const {fromCache, revalidated} = cacheInfo(response);
		const {'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset} = response.headers;
		if (remaining === undefined || (fromCache && !revalidated)) {
			return;
		}

		this.limit.remaining = Number(remaining);
		this.limit.resetAt = Number(reset) * 1000;
	}
}

const github = new GitHub();
for (const repository of ['nodejs/node', 'nodejs/node', 'sindresorhus/got', 'nodejs/undici', 'nodejs/node', 'nodejs/corepack']) {
	try {
		console.log(await github.stars(repository));
	} catch (error) {
		console.log(`${repository}: ${(error as Error).message}`);
	}
}

await getCache(github.client).close();

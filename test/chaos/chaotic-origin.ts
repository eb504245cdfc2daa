import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {gzipSync} from 'node:zlib';
import type {Random} from './random.ts';

/** The longest that it stalls before it answers, in milliseconds. */
export const longestStall = 100;

/** A path with responses that may always be shared, so that many requests wait for each other. */
export const hotPath = '/hot';

// Of a thousand requests, so many in a row stall and then fail.
const outage = 60;

/** Answers, fails, stalls, cuts bodies and redirects at random, and keeps what it gave to whom. */
export class ChaoticOrigin implements AsyncDisposable {
	count = 0;
	readonly #random: Random;
	readonly #given = new Set<string>();
	readonly #server = createServer((request, response) => {
		this.#answer(request, response);
	});

	private constructor(random: Random) {
		this.#random = random;
		this.#server.keepAliveTimeout = 120_000;
	}

	static async start(random: Random): Promise<ChaoticOrigin> {
		const origin = new ChaoticOrigin(random);
		origin.#server.listen(0, '127.0.0.1');
		await once(origin.#server, 'listening');
		return origin;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Whether it gave these very bytes for this request. */
	gave(request: RequestName, body: Uint8Array): boolean {
		return this.#given.has(nameOf(request, body));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		this.#server.close();
		await once(this.#server, 'close');
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		this.count++;
		const dice = this.#random.next();
		const isDown = this.count % 1000 < outage;
		if (dice < 0.06) {
			this.#fail(response);
		} else if (isDown || dice < 0.1) {
			const fails = isDown || this.#random.happens(0.4);
			setTimeout(() => {
				if (fails) {
					this.#fail(response);
				} else {
					this.#give(request, response);
				}
			}, this.#random.below(longestStall));
		} else if (dice < 0.14 && request.url !== hotPath) {
			const location = `/r/${this.#random.below(5)}`;
			response.writeHead(302, {location, 'cache-control': 'max-age=1'}).end('elsewhere');
		} else {
			this.#give(request, response, dice > 0.96);
		}
	}

	#fail(response: ServerResponse): void {
		if (this.#random.happens(0.5)) {
			response.socket?.destroy();
		} else {
			response.writeHead(503).end('down');
		}
	}

	#give(request: IncomingMessage, response: ServerResponse, isCut = false): void {
		const {authorization: identity = '', 'accept-language': language = ''} = request.headers as Record<string, string>;
		const path = request.url!;
		const mine = `"${path}:${identity}:${language}:`;
		const known = request.headers['if-none-match']?.split(', ').find(tag => tag.startsWith(mine));
		if (known !== undefined && this.#random.happens(0.5)) {
			response.writeHead(304, {etag: known, vary: 'accept-language', 'cache-control': 'max-age=1'}).end();
			return;
		}

		const start = `${path} ${identity} ${language} ${this.count}\n`;
		const body = Buffer.alloc(start.length + this.#random.below(this.#random.happens(0.02) ? 200_000 : 3000), start);
		this.#given.add(nameOf({path, identity, language}, body));
		const isCoded = this.#random.happens(0.3);
		const sent = isCoded ? gzipSync(body, {level: 1}) : body;
		response.writeHead(200, {
			'content-length': sent.length,
			vary: 'accept-language',
			'cache-control': path !== hotPath && this.#random.happens(0.1) ? 'no-store' : `max-age=${this.#random.below(3)}, stale-while-revalidate=1`,
			...(this.#random.happens(0.5) && {etag: `${mine}${this.count}"`}),
			...(isCoded && {'content-encoding': 'gzip'}),
		});
		if (isCut) {
			response.write(sent.subarray(0, -1), () => {
				response.socket?.destroy();
			});
		} else {
			response.end(sent);
		}
	}
}

export type RequestName = {readonly path: string; readonly identity: string; readonly language: string};

function nameOf({path, identity, language}: RequestName, body: Uint8Array): string {
	return createHash('sha1').update(JSON.stringify([path, identity, language])).update(body).digest('base64');
}

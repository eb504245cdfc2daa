/*
A program with Nest that has its Got from `nest-provider.ts`. It uses no decorators, so that Node.js runs it as it is; with them, `@Module`, `@Injectable` and `@Inject` say the same.

	npm install @nestjs/common @nestjs/core reflect-metadata rxjs
	node nest-main.js https://example.com/
*/
import process from 'node:process';
import {NestFactory} from '@nestjs/core';
import {CACHED_HTTP, cachedHttp} from './nest-provider.ts';
import {cacheInfo} from 'got-cache-hooks';

class PagesService {
	constructor(http) {
		this.http = http;
	}

	async reason(url) {
		return cacheInfo(await this.http(url)).reason;
	}
}

class AppModule {}

const app = await NestFactory.createApplicationContext({
	module: AppModule,
	imports: [cachedHttp({store: 'sqlite', expireAfter: '1h'})],
	providers: [{provide: PagesService, useFactory: http => new PagesService(http), inject: [CACHED_HTTP]}],
}, {logger: ['error']});
// A signal that ends the process closes the cache before.
app.enableShutdownHooks();

const pages = app.get(PagesService);
const url = process.argv[2] ?? 'https://example.com/';
console.log(await pages.reason(url), await pages.reason(url));

// So does this.
await app.close();

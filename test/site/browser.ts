import {createRequire} from 'node:module';
import path from 'node:path';
import {findProgram} from '../helpers/servers.ts';
import {docs} from './docs-folder.ts';

/** What is used of Playwright's page, whose types are not installed with the project. */
export type Page = {
	goto(url: string): Promise<{status(): number} | null>;
	url(): string;
	click(selector: string): Promise<void>;
	fill(selector: string, text: string): Promise<void>;
	waitForSelector(selector: string): Promise<unknown>;
	waitForURL(url: RegExp): Promise<void>; // eslint-disable-line @typescript-eslint/naming-convention
	textContent(selector: string): Promise<string | null>;
	screenshot(options: {path: string}): Promise<unknown>;
	evaluate<Result>(script: string): Promise<Result>;
	on(event: 'pageerror', listener: (error: Error) => void): unknown;
	on(event: 'console', listener: (message: {type(): string; text(): string}) => void): unknown;
	on(event: 'request', listener: (request: {url(): string}) => void): unknown;
};

export type Browser = {
	newPage(): Promise<Page>;
	close(): Promise<void>;
};

export async function findChromium(): Promise<string | undefined> {
	return await findProgram('chromium') ?? findProgram('chromium-browser');
}

export async function launch(executablePath: string): Promise<Browser> {
	const {chromium} = createRequire(path.join(docs, 'package.json'))('playwright-core') as {chromium: {launch(options: object): Promise<Browser>}};
	// A container's root has no sandbox; the pages are ours.
	return chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
}

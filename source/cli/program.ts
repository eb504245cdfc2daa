import {createRequire} from 'node:module';
import {
	Command,
	InvalidArgumentError,
	Option,
} from 'commander';
import {exitCodes} from './failure.ts';
import type {Output} from './output.ts';
import {oneLine, printableLine} from './printable.ts';

const storeHelp = 'the path of an SQLite file or of a folder, or a URL: redis://…, mongodb://…, dynamodb://<table>?region=…, sqlite:…, file:…';

/** Makes the grammar of the command line. The code of a command is loaded when it runs. */
export function createProgram(output: Output, signal: AbortSignal): Command {
	const program = new Command('got-cache-hooks')
		.description('Looks into the store of a cache of got-cache-hooks, and deletes, copies and imports what is in it.')
		.version(versionOfPackage(), '-V, --version')
		.exitOverride()
		.configureOutput({
			writeOut(text) {
				void output.write(text).catch(() => undefined);
			},
			writeErr(text) {
				output.note(text.trimEnd());
			},
			outputError(text, write) {
				write(`got-cache-hooks: ${printableLine(oneLine(text).replace(/^error: /v, '').replace(/\.$/v, ''))}. \`got-cache-hooks --help\` shows the commands.`);
			},
		})
		.showSuggestionAfterError()
		.helpCommand(false)
		.addHelpText('after', `
Exit codes: ${exitCodes.done} done, ${exitCodes.failed} not found or failed, ${exitCodes.usage} wrong usage, ${exitCodes.interrupted} interrupted.
Only rm, copy, har --import and get change a store. Examples:
  $ got-cache-hooks ls http_cache.sqlite
  $ got-cache-hooks explain http_cache.sqlite https://api.example.com/users/1
  $ got-cache-hooks rm http_cache.sqlite --expired`);
	addReaders(program, output, signal);
	addWriters(program, output, signal);
	return program;
}

function addReaders(program: Command, output: Output, signal: AbortSignal): void {
	withSelection(command(program, 'ls', 'list stored responses', '<store> [pattern]'))
		.argument('[pattern]', 'a glob of URLs without the scheme, matched from their beginning: "api.example.com/*/users"')
		.option('--no-valid', 'leave out fresh ones, whatever else is selected')
		.option('--no-expired', 'leave out stale ones, whatever else is selected')
		.addOption(new Option('--sort <order>', 'the order of the list. Default: that of the store').choices(['createdAt', 'expires', 'key', 'size']))
		.option('--reverse', 'the reverse of --sort')
		.option('--limit <number>', 'list at most so many', wholeNumber)
		.option('--json', 'print an array of everything that is known, without bodies')
		.addHelpText('after', examples(['ls http_cache.sqlite', 'ls http_cache.sqlite "api.example.com/users" --sort size --reverse --limit 10', 'ls redis://localhost:6379 --cache-name weather --expired --json']))
		.action(async (store: string, pattern: string | undefined, flags: object) => {
			const {list} = await import('./commands.ts');
			await list(output, store, pattern, flags, signal);
		});

	command(program, 'show', 'show one stored response: its headers, its body, and the request that it answers', '<store> <url|key>')
		.argument('<url|key>', 'its URL, or its key as `ls --json` shows it')
		.option('-o, --output <file>', 'save the body to a file; `-` writes it to the standard output')
		.option('--json', 'print everything as JSON')
		.addHelpText('after', examples(['show http_cache.sqlite https://api.example.com/users/1', 'show http_cache.sqlite https://example.com/logo.png --output logo.png']))
		.action(async (store: string, target: string, flags: object) => {
			const {show} = await import('./commands.ts');
			await show(output, store, target, flags, signal);
		});

	command(program, 'explain', 'explain what the cache would do now with a request, and why', '<store> <url>')
		.argument('<url>', 'the URL of the request')
		.option('-H, --header <line>', 'a header of the request, as `name: value` (repeatable)', collected)
		.option('-X, --request <method>', 'the method. Default: GET')
		.option('--json', 'print JSON')
		.addHelpText('after', examples(['explain http_cache.sqlite https://api.example.com/users/1', 'explain http_cache.sqlite https://api.example.com/users/1 -H "accept: application/json" --settings got-cache.config.js']))
		.action(async (store: string, url: string, flags: object) => {
			const {explain} = await import('./commands.ts');
			await explain(output, store, url, flags, signal);
		});

	command(program, 'stats', 'show in figures what is stored', '<store>')
		.option('--json', 'print JSON')
		.addHelpText('after', examples(['stats http_cache.sqlite', 'stats "dynamodb://http_cache?region=eu-central-1"']))
		.action(async (store: string, flags: object) => {
			const {stats} = await import('./commands.ts');
			await stats(output, store, flags, signal);
		});
}

function addWriters(program: Command, output: Output, signal: AbortSignal): void {
	withSelection(command(program, 'rm', 'delete stored responses, after a question', '<store>'))
		.option('-y, --yes', 'do not ask')
		.addHelpText('after', examples(['rm http_cache.sqlite --expired', 'rm http_cache.sqlite --pattern "api.example.com/*" --older-than 7d --all', 'rm http_cache.sqlite --url https://api.example.com/users/1 --yes']))
		.action(async (store: string, flags: object) => {
			const {remove} = await import('./commands.ts');
			await remove(output, store, flags, signal);
		});

	command(program, 'copy', 'copy everything to another store, which is made if it is not there', '<from> <to>')
		.argument('<to>', 'the other store. Where there is none, a path with .sqlite, .sqlite3 or .db becomes an SQLite file, any other a folder')
		.option('--to-cache-name <name>', 'as --cache-name, of the other store')
		.option('--to-option <name=value>', 'as --option, of the other store (repeatable)', collected)
		.addHelpText('after', examples(['copy http_cache.sqlite backup.sqlite', 'copy http_cache.sqlite redis://localhost:6379 --to-cache-name weather']))
		.action(async (from: string, to: string, flags: object) => {
			const {copy} = await import('./commands.ts');
			await copy(output, from, to, flags, signal);
		});

	withSelection(command(program, 'har', 'write an HTTP archive (HAR 1.2) of stored responses, or store those of one', '<store> <file>')
		.argument('<file>', 'the archive; `-` writes it to the standard output')
		.option('--import', 'store the responses of the archive as if they came now; --tag and --expire-after hold for them')
		.option('--expire-after <time>', 'with --import, how long they are fresh: seconds, or a duration such as 5m or 7d'))
		.addHelpText('after', examples(['har http_cache.sqlite api.har --pattern api.example.com', 'har http_cache.sqlite browser.har --import --expire-after 1h']))
		.action(async (store: string, file: string, flags: object) => {
			const {archive} = await import('./commands.ts');
			await archive(output, store, file, flags, signal);
		});

	command(program, 'get', 'send a GET request through the cache, and write the body', '<store> <url>')
		.argument('<url>', 'the URL of the request')
		.option('-H, --header <line>', 'a header of the request, as `name: value` (repeatable)', collected)
		.option('--expire-after <time>', 'how long the response is fresh: seconds, or a duration such as 5m. Default: that of the settings, else forever')
		.option('--cache-control', 'let the headers of the origin decide, by RFC 9111')
		.option('--refresh', 'ask the origin whether the stored response is still right')
		.option('-i, --include', 'write the status and the headers before the body')
		.option('-o, --output <file>', 'save the body to a file')
		.addHelpText('after', examples(['get http_cache.sqlite https://api.example.com/users/1 --expire-after 1h', 'get http_cache.sqlite https://api.example.com/users/1 --cache-control | jq .name']))
		.action(async (store: string, url: string, flags: object) => {
			const {get} = await import('./commands.ts');
			await get(output, store, url, flags, signal);
		});
}

/** Adds a command on a store, with the options that all of them have. */
function command(program: Command, name: string, description: string, usage: string): Command {
	const [first] = usage.split(' ', 1) as [string];
	return program.command(name)
		.description(description)
		.usage(`${usage} [options]`)
		.argument(first, storeHelp)
		.option('--cache-name <name>', 'the name of the cache, on a server that has several. Default: http_cache')
		.option('--option <name=value>', 'an option of `createStore` (repeatable)', collected)
		.option('--settings <file>', 'the settings of the program: a module with a default export, or JSON');
}

/** Adds the options that select entries. */
function withSelection(selecting: Command): Command {
	return selecting
		.option('--url <url>', 'a GET or HEAD without credentials of this URL (repeatable)', collected)
		.option('--pattern <glob>', 'all whose URL matches (repeatable)', collected)
		.option('--tag <tag>', 'all that have the tag (repeatable)', collected)
		.option('--key <key>', 'the one with this key (repeatable)', collected)
		.option('--valid', 'fresh ones')
		.option('--expired', 'stale ones')
		.option('--invalid', 'those that cannot be read')
		.option('--older-than <time>', 'those received before a date, or longer ago than a time: 2026-01-31, 7d, 3600')
		.option('--all', 'those that match all of these options. Default: those that match any');
}

function collected(value: string, previous: readonly string[] | undefined): readonly string[] {
	return [...previous ?? [], value];
}

function wholeNumber(text: string): number {
	if (!/^\d{1,15}$/v.test(text)) {
		throw new InvalidArgumentError('Give a whole number from 0.');
	}

	return Number(text);
}

function examples(lines: readonly string[]): string {
	return `\nExamples:\n${lines.map(line => `  $ got-cache-hooks ${line}`).join('\n')}`;
}

function versionOfPackage(): string {
	const {version} = createRequire(import.meta.url)('got-cache-hooks/package.json') as {readonly version: string};
	return version;
}

import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import ts from 'typescript';
import {startDynalite, variablesOf} from '../helpers/dynamodb-server.ts';
import {ServerProcess} from '../helpers/server-process.ts';
import {
	findRedis,
	mongoMissing,
	redisCommand,
	startMongo,
} from '../helpers/servers.ts';
import {listPages, readPage, root} from './pages.ts';
import {
	firstPages,
	samplesOf,
	signs,
	testSamples,
	type SampleServer,
} from './samples.ts';

const redis = await findRedis();
const mongo = await startMongo();

test.after.always(async () => {
	await mongo?.stop();
});

async function dynamoDb(): ReturnType<SampleServer['start']> {
	const server = await startDynalite();
	return {variables: variablesOf(server), [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]()};
}

async function startRedis(command: string): ReturnType<SampleServer['start']> {
	const server = await ServerProcess.start(redisCommand(command));
	return {url: `redis://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]()};
}

const servers: ReadonlyMap<string, SampleServer['start'] | string> = new Map([
	['redis://localhost:6379', redis === undefined ? '`redis-server` on the PATH' : async () => startRedis(redis)],
	['mongodb://localhost:27017', mongo === undefined ? mongoMissing : async () => ({url: mongo.url.replace(/\/$/v, ''), async [Symbol.asyncDispose]() {}})],
	['\'dynamodb\'', dynamoDb],
	['KeyvDynamoDb', dynamoDb],
]);

const otherPages = listPages().filter(page => !firstPages.includes(page));

for (const page of otherPages) {
	testSamples(test, page);
}

for (const sign of signs) {
	const start = servers.get(sign)!;
	if (typeof start === 'string') {
		test(`samples with \`${sign}\` are not run, as there is no ${start}`, t => {
			t.not(process.env.CI, 'true');
		});
		continue;
	}

	for (const page of listPages()) {
		testSamples(test, page, {sign, start});
	}
}

test('the samples of all pages have no error of types', t => {
	const {options} = ts.parseJsonConfigFileContent(ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root);
	const samples = new Map(listPages().flatMap(page => samplesOf(readPage(page)).flatMap(({code, language}, index) => language === 'ts'
		? [[path.join(root, `${page.replaceAll(/[^a-z]/gv, '-')}-${index}.ts`), `${code}\nexport {};\n`] as const]
		: [])));
	const settings: ts.CompilerOptions = {
		...options,
		noEmit: true,
		declaration: false,
		isolatedDeclarations: false,
		erasableSyntaxOnly: false,
		noUnusedLocals: false,
	};
	const host = ts.createCompilerHost(settings);
	const {getSourceFile, fileExists, readFile} = host;
	host.fileExists = file => samples.has(file) || fileExists(file);
	host.readFile = file => samples.get(file) ?? readFile(file);
	host.getSourceFile = (file, version, ...rest) => {
		const code = samples.get(file);
		return code === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, code, version);
	};

	const files = samples.keys().toArray();
	const program = ts.createProgram(files, settings, host);
	const problems = files.flatMap(file => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
		.filter(({file}) => file !== undefined && samples.has(file.fileName))
		.map(({file, messageText}) => `${path.basename(file!.fileName)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
	t.deepEqual(problems, []);
	t.true(samples.size > 50);
});

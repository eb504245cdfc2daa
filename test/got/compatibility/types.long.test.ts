import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '../../..');
const program = readFileSync(path.join(root, '.ci/pack-test-types.ts'), 'utf8');
const file = path.join(root, 'test/got/compatibility/program.ts');

/** A language service for one program of a user, with a major of Got. */
function serviceFor(text: string, packageName: string): ts.LanguageService {
	const {config} = ts.readConfigFile(path.join(root, 'tsconfig.json'), name => ts.sys.readFile(name)) as {config: {compilerOptions: object}};
	const {options} = ts.convertCompilerOptionsFromJson({
		...config.compilerOptions,
		paths: {
			got: [path.join(root, `node_modules/${packageName}/dist/source/index.d.ts`)],
			'got-cache-hooks': [path.join(root, 'source/index.ts')],
			'got-cache-hooks/opentelemetry': [path.join(root, 'source/opentelemetry/index.ts')],
		},
	}, root);
	const read = (name: string): string | undefined => name === file ? text : ts.sys.readFile(name);
	return ts.createLanguageService({
		getCompilationSettings: () => options,
		getScriptFileNames: () => [file],
		getScriptVersion: () => '1',
		getScriptSnapshot(name) {
			const source = read(name);
			return source === undefined ? undefined : ts.ScriptSnapshot.fromString(source);
		},
		getCurrentDirectory: () => root,
		getDefaultLibFileName: settings => ts.getDefaultLibFilePath(settings),
		fileExists: name => name === file || ts.sys.fileExists(name),
		readFile: read,
		directoryExists: name => ts.sys.directoryExists(name),
		getDirectories: name => ts.sys.getDirectories(name),
	});
}

for (const [name, packageName] of [['Got 16', 'got'], ['Got 15', 'got15'], ['Got 14', 'got14']] as const) {
	test(`${name}: a program of a user compiles, and editors complete the settings of a request`, t => {
		const completed = `${program}\nvoid client('https://example.com', {context: cacheContext({ })});\nvoid cached('https://example.com', {context: {cache: { }}});\n`;
		const service = serviceFor(completed, packageName);
		const diagnostics = service.getSemanticDiagnostics(file).map(({messageText}) => ts.flattenDiagnosticMessageText(messageText, '\n'));
		t.deepEqual(diagnostics, []);
		for (const place of ['cacheContext({ ', '{cache: { ']) {
			const position = completed.lastIndexOf(place) + place.length;
			const entries = service.getCompletionsAtPosition(file, position, undefined)?.entries.map(entry => entry.name) ?? [];
			t.true(['expireAfter', 'refresh', 'staleIfError'].every(setting => entries.includes(setting)), `after ${place}`);
			t.false(entries.includes('store'));
		}
	});
}

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import ts from 'typescript';

/** The type of the table in `xo.config.ts`, which the compiler does not check. */
type Row = {readonly source: readonly string[]; readonly node: readonly string[]; readonly packages: readonly string[]};

type Import = {
	/** The folder or the top-level file of `source/` that imports. */
	readonly importer: string;

	/** The importing file, relative to `source/`. */
	readonly file: string;

	/** A folder or top-level file of `source/`, a builtin (`node:…`) or a package. */
	readonly target: string;

	/** The imported file, relative to `source/`, if it is one. */
	readonly targetFile: string | undefined;

	readonly isType: boolean;
};

const root = path.resolve(import.meta.dirname, '..');
const source = path.join(root, 'source');
const files = readdirSync(source, {recursive: true, encoding: 'utf8'}).filter(file => file.endsWith('.ts')).map(file => file.replaceAll('\\', '/')).toSorted();
const imports = files.flatMap(file => importsOf(file));

// By a computed name: the compiler would else check the linter's own types.
const {house} = await import(path.join(root, 'xo.config.ts')) as {readonly house: Readonly<Record<string, Row>>};

function roomOf(file: string): string {
	return file.split('/', 1)[0]!;
}

function packageOf(specifier: string): string {
	return specifier.startsWith('@') ? specifier.split('/', 2).join('/') : specifier.split('/', 1)[0]!;
}

/** Returns what a file imports from other rooms of the house, from Node.js and from packages. */
function importsOf(file: string): Import[] {
	const found: Import[] = [];
	const add = (specifier: string, isType: boolean): void => {
		const targetFile = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : undefined;
		const outside = specifier.startsWith('node:') ? specifier : packageOf(specifier);
		found.push({
			importer: roomOf(file), file, target: targetFile === undefined ? outside : roomOf(targetFile), targetFile, isType,
		});
	};

	const visit = (node: ts.Node): void => {
		if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
			const isType = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly;
			add((node.moduleSpecifier as ts.StringLiteral).text, isType);
		} else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
			add((node.argument.literal as ts.StringLiteral).text, true);
		} else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && ts.isStringLiteralLike(node.arguments[0]!)) {
			add(node.arguments[0].text, false);
		}

		ts.forEachChild(node, visit);
	};

	visit(ts.createSourceFile(file, readFileSync(path.join(source, file), 'utf8'), ts.ScriptTarget.Latest, true));
	return found;
}

function isAllowed({importer, target, targetFile}: Import): boolean {
	const {source: rooms, node, packages} = house[importer]!;
	if (targetFile !== undefined) {
		return target === importer || rooms.includes(target) || rooms.includes('*');
	}

	return target.startsWith('node:')
		? node.some(builtin => builtin === '*' || target === `node:${builtin}`)
		: packages.some(name => name === target || (name.endsWith('*') && target.startsWith(name.slice(0, -1))));
}

test('each folder and each top-level file of source/ has a row in the import table, and each row names an existing one', t => {
	t.deepEqual(Object.keys(house).toSorted(), [...new Set(files.map(file => roomOf(file)))].toSorted());
});

test('the rows of the import table stand in the order of the layers: each imports only from rows above it', t => {
	const rooms = Object.keys(house);
	const upward = rooms.flatMap((room, index) => house[room]!.source
		.filter(target => target !== '*' && !rooms.slice(0, index).includes(target))
		.map(target => `${room} → ${target}`));
	t.deepEqual(upward, []);
});

test('the files of source/ import only what the import table allows', t => {
	const refused = imports.filter(entry => !isAllowed(entry)).map(({file, target, targetFile}) => `${file} → ${targetFile ?? target}`);
	t.deepEqual(refused, []);
});

test('every import that the table allows is used by a file', t => {
	const unused = Object.entries(house).flatMap(([room, row]) => {
		const targets = new Set(imports.filter(({importer}) => importer === room).map(({target}) => target));
		return [
			...row.source.filter(name => name !== '*' && !targets.has(name)),
			...row.node.filter(name => name !== '*' && !targets.has(`node:${name}`)).map(name => `node:${name}`),
			...row.packages.filter(name => !targets.values().some(target => target === name || (name.endsWith('*') && target.startsWith(name.slice(0, -1))))),
		].map(name => `${room} → ${name}`);
	});
	t.deepEqual(unused, []);
});

test('there are no circular imports in source/, except of types', t => {
	const edges = Map.groupBy(imports.filter(({isType, targetFile}) => !isType && targetFile !== undefined), ({file}) => file);
	const done = new Set<string>();
	const circles: string[] = [];
	const visit = (file: string, chain: readonly string[]): void => {
		if (chain.includes(file)) {
			circles.push([...chain.slice(chain.indexOf(file)), file].join(' → '));
			return;
		}

		if (done.has(file)) {
			return;
		}

		for (const {targetFile} of edges.get(file) ?? []) {
			visit(targetFile!, [...chain, file]);
		}

		done.add(file);
	};

	for (const file of files) {
		visit(file, []);
	}

	t.deepEqual(circles, []);
});

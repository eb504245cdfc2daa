import path from 'node:path';
import test from 'ava';
import ts from 'typescript';
import {entryPoints} from '../../docs/entry-points.ts';
import {root} from './pages.ts';

const files = entryPoints.values().filter(file => file !== 'source/register.ts').map(file => path.join(root, file)).toArray();
const {options} = ts.parseJsonConfigFileContent(ts.readConfigFile(path.join(root, 'tsconfig.json'), file => ts.sys.readFile(file)).config, ts.sys, root);
const program = ts.createProgram([...files, path.join(root, 'source/stores/adapters/packages.d.ts')], options);
const checker = program.getTypeChecker();

/** A public name, or a member of one. */
type Name = {
	readonly path: string;
	readonly comment: string;
	readonly tags: ReadonlyMap<string, string>;
	readonly node: ts.Declaration;
};

function nameOf(symbol: ts.Symbol, pathOfName: string): Name {
	const tags = symbol.getJsDocTags(checker).map(({name, text}) => [name, ts.displayPartsToString(text)] as const);
	return {
		path: pathOfName,
		comment: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
		tags: new Map(tags),
		node: symbol.valueDeclaration ?? symbol.declarations![0]!,
	};
}

const exported = new Map(files.flatMap(file => checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!).map(symbol => {
	const original = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol); // eslint-disable-line no-bitwise
	return [symbol.name, original] as const;
})));

const isMember = (node: ts.Node): node is ts.PropertySignature | ts.MethodSignature | ts.PropertyDeclaration | ts.MethodDeclaration | ts.GetAccessorDeclaration =>
	ts.isPropertySignature(node) || ts.isMethodSignature(node) || ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node);

/** The members that the declarations of a type or a class write down, and those of their members. */
function * membersOf(node: ts.Node, owner: string): Generator<Name> {
	for (const child of node.getChildren()) {
		if (ts.isBlock(child) || ts.isParameter(child)) {
			continue;
		}

		if (!isMember(child)) {
			yield * membersOf(child, owner);
		} else if (!ts.isPrivateIdentifier(child.name)) {
			const name = nameOf(checker.getSymbolAtLocation(child.name)!, `${owner}.${child.name.getText()}`);
			yield name;
			yield * membersOf(child, name.path);
		}
	}
}

const names = exported.entries().map(([name, symbol]) => nameOf(symbol, name)).toArray();
const members = exported.entries()
	.flatMap(([name, symbol]) => symbol.declarations!.filter(node => ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)).flatMap(node => [...membersOf(node, name)]))
	.toArray();

/** The comment of the type may say it for all of its members. */
const saysItForAll = ({path: name}: Name): boolean => /\bmay be left out\b/v.test(nameOf(exported.get(name.split('.', 1)[0]!)!, name).comment);

const pathsOf = (found: readonly Name[]): readonly string[] => [...new Set(found.map(({path: name}) => name))];

test('each public name, and each member of one, has a comment', t => {
	t.true(names.length > 100);
	t.deepEqual(pathsOf([...names, ...members].filter(({comment}) => comment === '')), []);
});

test('the comment of each member that may be left out says what holds then', t => {
	const optional = members.filter(({node}) => isMember(node) && node.questionToken !== undefined);
	t.true(optional.length > 80);
	t.deepEqual(pathsOf(optional.filter(name => !saysItForAll(name) && !name.tags.has('default') && !/\b(?:default|absent|if|unless|where|without)\b/iv.test(name.comment))), []);
});

const isNumber = (type: ts.Type): boolean => (type.isUnion() ? type.types : [type]).some(({flags}) => (flags & ts.TypeFlags.Number) !== 0); // eslint-disable-line no-bitwise

test('the comment of each number says what it counts or in which unit it is', t => {
	const numbers = members.filter(({node}) => isMember(node) && isNumber(checker.getTypeAtLocation(node)));
	t.true(numbers.length > 30);
	t.deepEqual(pathsOf(numbers.filter(({comment}) => !/\b(?:number|milliseconds?|seconds?|minutes|hours|days|weeks|bytes|share|status|index|version|position)\b/iv.test(comment))), []);
});

test('the comment of each function and class, or of its methods, says which errors it throws', t => {
	const callable = names.filter(({node}) => ts.isFunctionDeclaration(node) || (ts.isClassDeclaration(node) && !node.name!.text.endsWith('Error')));
	t.true(callable.length > 30);
	const throws = ({tags, comment}: Name): boolean => tags.has('throws') || /\bthrows?\b/v.test(comment);
	t.deepEqual(pathsOf(callable.filter(name => !throws(name) && members.every(member => !(member.path.startsWith(`${name.path}.`) && throws(member))))), []);
});

test('each function, class and constant has an example that runs as it is', t => {
	const values = names.filter(({node}) => ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isVariableDeclaration(node));
	t.deepEqual(pathsOf(values.filter(({tags}) => !/^```ts\n[\s\S]*from 'got-cache-hooks/v.test(tags.get('example') ?? ''))), []);
});

// What the API reference has beside what TypeDoc makes of the doc comments: modules have the names by which users import them, the types of options are there though they are not exported, names are in alphabetical order, and types link to the example of what uses them.
import {
	Comment,
	CommentTag,
	Converter,
	makeRecursiveVisitor,
	PageEvent,
	ReflectionKind,
} from 'typedoc';
import {entryPoints} from './entry-points.ts';

// TypeDoc names a module by its file.
const moduleNames = Object.fromEntries(entryPoints.entries().map(([name, file]) => [file.replace(/^source\//v, '').replace(/(?:\/index)?\.ts$/v, ''), name]));

export function load(app) {
	app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({project}) => {
		for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
			module.name = moduleNames[module.name] ?? module.name;
		}

		removeInternals(project);
	});
	app.converter.on(Converter.EVENT_RESOLVE_END, ({project}) => {
		linkExamples(project);
		const groups = project.getReflectionsByKind(ReflectionKind.Module).flatMap(module => module.groups ?? []);
		for (const group of groups) {
			group.children.sort((one, other) => one.name.localeCompare(other.name, 'en'));
		}
	});
	app.renderer.on(PageEvent.END, page => {
		page.contents = nameLanguages(page.contents);
	});
}

/** In all pages, `ts` is a program, which a test runs. Here, signatures are TypeScript as well, and examples of settings are values. */
function nameLanguages(markdown) {
	return markdown.replaceAll(/^```(?:ts)?\n(?<code>.*?)^```$/gmsv, (block, code) => {
		const language = /^\{\w+:/v.test(code) ? 'javascript' : 'typescript';
		return /^import .+ from 'got-cache-hooks/mv.test(code) ? block : `\`\`\`${language}\n${code}\`\`\``;
	});
}

const isInternal = reflection => reflection.parent?.name === 'not exported';

/** Of what is not exported, types stay that an exported name mentions, and those that their options mention. */
function removeInternals(project) {
	const modules = project.getReflectionsByKind(ReflectionKind.Module);
	const kept = new Set();
	const queue = modules.flatMap(module => module.name === 'not exported' ? [] : (module.children ?? []).filter(child => !child.kindOf(ReflectionKind.Module)));
	for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
		kept.add(name);
		if (!isInternal(name) || name.name.endsWith('Options')) {
			queue.push(...[...referencesOf(name)].filter(target => isInternal(target) && target.kindOf(ReflectionKind.TypeAlias) && !kept.has(target)));
		}
	}

	const internals = modules.filter(({name}) => name === 'not exported');
	for (const child of internals.flatMap(module => module.children.filter(reflection => !kept.has(reflection)))) {
		project.removeReflection(child);
	}

	const emptied = internals.filter(({children = []}) => children.length === 0);
	for (const module of emptied) {
		project.removeReflection(module);
	}
}

const hasExample = reflection => [reflection, ...reflection.signatures ?? [], ...reflection.getSignature === undefined ? [] : [reflection.getSignature]].some(({comment}) => comment?.getTag('@example') !== undefined);

// eslint-disable-next-line no-bitwise -- TypeDoc's own form.
const namedKinds = ReflectionKind.SomeValue | ReflectionKind.SomeType | ReflectionKind.SomeMember | ReflectionKind.Class;

/** From each name that has an example to the types in its signature, and on from these. */
function linkExamples(project) {
	let holders = project.getReflectionsByKind(namedKinds)
		.filter(reflection => !reflection.isSignature?.() && hasExample(reflection))
		.map(reflection => [reflection, reflection])
		// What is called says more of a type than a setting does; a class is the least precise.
		.toSorted(([one], [other]) => rank(one) - rank(other) || (one.getFullName() < other.getFullName() ? -1 : 1));
	const seen = new Set(holders.map(([holder]) => holder));
	const isNewType = target => !seen.has(target) && target.kindOf([ReflectionKind.TypeAlias, ReflectionKind.Interface, ReflectionKind.Class]);
	while (holders.length > 0) {
		const next = [];
		for (const [holder, example] of holders) {
			const targets = [...referencesOf(holder)].filter(target => isNewType(target));
			for (const target of targets) {
				seen.add(target);
				next.push([target, example]);
				linkExample(target, example);
			}
		}

		holders = next;
	}
}

function linkExample(target, example) {
	if (hasExample(target)) {
		return;
	}

	const link = {
		kind: 'inline-tag', tag: '@link', text: nameOf(example), target: pageOf(example),
	};
	target.comment ??= new Comment();
	target.comment.blockTags.push(new CommentTag('@example', [{kind: 'text', text: 'See the example of '}, link, {kind: 'text', text: '.'}]));
}

function rank(reflection) {
	return reflection.kindOf([ReflectionKind.Function, ReflectionKind.Method]) ? 0 : (reflection.kindOf(ReflectionKind.Class) ? 2 : 1);
}

function nameOf(reflection) {
	const page = pageOf(reflection);
	const {name} = reflection;
	return page === reflection && reflection.kindOf(ReflectionKind.Method) ? `${reflection.parent.name}.${name}` : (page === reflection ? name : `${page.name}.${name}`);
}

/** A setting has no page, and no heading of its own where its type is part of another. */
function pageOf(reflection) {
	let page = reflection;
	while (page.parent.kindOf(ReflectionKind.TypeLiteral) || page.kindOf(ReflectionKind.TypeLiteral)) {
		page = page.parent;
	}

	return page;
}

/** The names that the signature, the type or a member of a name refers to. */
function referencesOf(reflection) {
	const found = new Set();
	const visitor = makeRecursiveVisitor({
		reference(type) {
			if (type.reflection !== undefined) {
				found.add(type.reflection);
			}
		},
		reflection(type) {
			visit(type.declaration);
		},
	});
	function visit(current) {
		current.type?.visit(visitor);
		current.default?.visit(visitor);
		for (const type of [...current.extendedTypes ?? [], ...current.implementedTypes ?? []]) {
			type.visit(visitor);
		}

		current.traverse(child => {
			visit(child);
			return true;
		});
	}

	visit(reflection);
	return found;
}

// What the API reference has beside what TypeDoc makes of the doc comments: modules have the names by which users import them, the types of options are there though they are not exported, names are in alphabetical order, and types link to the example of what uses them.
import {
	Comment, CommentTag, Converter, makeRecursiveVisitor, PageEvent, ReflectionKind,
} from 'typedoc';

const moduleNames = {index: 'got-cache-hooks', 'stores/dynamodb': 'got-cache-hooks/dynamodb'};

export function load(app) {
	app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({project}) => {
		for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
			module.name = moduleNames[module.name] ?? module.name;
		}

		removeInternals(project);
	});
	app.converter.on(Converter.EVENT_RESOLVE_END, ({project}) => {
		linkExamples(project);
		for (const group of project.getReflectionsByKind(ReflectionKind.Module).flatMap(module => module.groups ?? [])) {
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
		if (/^import .+ from 'got-cache-hooks/mv.test(code)) {
			return block;
		}

		return `\`\`\`${/^\{\w+:/v.test(code) ? 'javascript' : 'typescript'}\n${code}\`\`\``;
	});
}

const isInternal = reflection => reflection.parent?.name === 'not exported';

/** Of what is not exported, types stay that an exported name mentions, and those that their options mention. */
function removeInternals(project) {
	const modules = project.getReflectionsByKind(ReflectionKind.Module);
	const kept = new Set(modules.flatMap(module => module.name === 'not exported' ? [] : (module.children ?? []).filter(child => !child.kindOf(ReflectionKind.Module))));
	for (const name of kept) {
		if (!isInternal(name) || name.name.endsWith('Options')) {
			for (const target of referencesOf(name)) {
				if (isInternal(target) && target.kindOf(ReflectionKind.TypeAlias)) {
					kept.add(target);
				}
			}
		}
	}

	for (const module of modules.filter(({name}) => name === 'not exported')) {
		for (const child of [...module.children]) {
			if (!kept.has(child)) {
				project.removeReflection(child);
			}
		}

		if (module.children === undefined || module.children.length === 0) {
			project.removeReflection(module);
		}
	}
}

const hasExample = reflection => [reflection, ...reflection.signatures ?? [], ...reflection.getSignature === undefined ? [] : [reflection.getSignature]].some(({comment}) => comment?.getTag('@example') !== undefined);

/** From each name that has an example to the types in its signature, and on from these. */
function linkExamples(project) {
	const names = project.getReflectionsByKind(ReflectionKind.SomeValue | ReflectionKind.SomeType | ReflectionKind.SomeMember | ReflectionKind.Class)
		.filter(reflection => !reflection.isSignature?.());
	let holders = names.filter(reflection => hasExample(reflection)).map(reflection => [reflection, reflection])
		// What is called says more of a type than a setting does; a class is the least precise.
		.toSorted(([one], [other]) => rank(one) - rank(other) || (one.getFullName() < other.getFullName() ? -1 : 1));
	const seen = new Set(holders.map(([holder]) => holder));
	while (holders.length > 0) {
		const next = [];
		for (const [holder, example] of holders) {
			for (const target of referencesOf(holder)) {
				if (seen.has(target) || !target.kindOf(ReflectionKind.SomeType | ReflectionKind.Class)) {
					continue;
				}

				seen.add(target);
				next.push([target, example]);
				if (hasExample(target)) {
					continue;
				}

				target.comment ??= new Comment();
				target.comment.blockTags.push(new CommentTag('@example', [
					{kind: 'text', text: 'See the example of '},
					{kind: 'inline-tag', tag: '@link', text: nameOf(example), target: pageOf(example)},
					{kind: 'text', text: '.'},
				]));
			}
		}

		holders = next;
	}
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

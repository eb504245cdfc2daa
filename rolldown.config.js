// The published JavaScript. The declarations are the compiler's, a file for each source file: readable, and with their comments.
import fs from 'node:fs';
import path from 'node:path';

const {dependencies, peerDependencies} = JSON.parse(fs.readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const packages = Object.keys({...dependencies, ...peerDependencies});

/** Writes the licenses of the packages that are part of the bundle, as those demand. */
const licenses = {
	name: 'licenses',
	generateBundle(_options, bundle) {
		const modules = Object.values(bundle).flatMap(({modules = {}}) => Object.keys(modules));
		const folders = new Set(modules.flatMap(id => /^.*\/node_modules\/(?:@[^\/]+\/)?[^\/]+(?=\/)/v.exec(id) ?? []));
		const texts = [...folders].map(folder => {
			const {name, version} = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
			const file = fs.readdirSync(folder).find(file => /^licen[cs]e/iv.test(file));
			return `# ${name} ${version}\n\n${fs.readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
		});
		this.emitFile({type: 'asset', fileName: 'third-party-licenses.md', source: texts.toSorted((one, other) => one.localeCompare(other)).join('\n')});
	},
};

export default {
	// One module graph: a class is the same class, whichever entry point it comes from.
	input: {
		index: 'source/index.ts',
		dynamodb: 'source/stores/dynamodb/index.ts',
		opentelemetry: 'source/opentelemetry/index.ts',
		register: 'source/register.ts',
		cli: 'source/cli/index.ts',
	},
	platform: 'node',
	// What `package.json` names stays outside. The small packages that each program would load are part of the bundle, since a file costs about 0.7 ms.
	external: id => id.startsWith('node:') || packages.some(name => id === name || id.startsWith(`${name}/`)),
	plugins: [licenses],
	output: {
		dir: 'dist',
		format: 'esm',
		cleanDir: true,
		sourcemap: true,
		minify: false,
		minifyInternalExports: false,
		// Editors show the comments of the declarations.
		comments: {jsdoc: false, annotation: true, legal: true},
		entryFileNames: '[name].js',
		chunkFileNames: 'chunks/[name].js',
		codeSplitting: {
			groups: [
				// With all that it imports, but for what is loaded when it is first used. Got is not in it, since the register has to be there before Got. The Keyv adapter is for two entry points, and would be a file of its own.
				{name: 'core', test: /\/source\/(?:got\/(?:global\/(?:install-cache|configuration)|cache-info)|stores\/keyv-adapter)\.ts$/v, priority: 2},
				{
					name: 'shared', test: /\/source\/stores\/(?!keyv)/v, minShareCount: 2, priority: 1,
				},
			],
		},
	},
};

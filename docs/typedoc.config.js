import {entryPoints} from './entry-points.ts';

export default {
	tsconfig: '../tsconfig.build.json',
	// The register exports nothing.
	entryPoints: entryPoints.values().filter(file => file !== 'source/register.ts').map(file => `../${file}`).toArray(),
	plugin: ['typedoc-plugin-missing-exports', 'typedoc-plugin-markdown', './typedoc-plugin.js'],
	out: 'api',
	router: 'member',
	name: 'API reference',
	readme: 'none',
	internalModule: 'not exported',
	disableSources: true,
	disableGit: true,
	gitRevision: 'main',
	excludePrivate: true,
	excludeInternal: true,
	excludeExternals: true,
	githubPages: false,
	hideGenerator: true,
	hidePageHeader: true,
	useCodeBlocks: true,
	expandObjects: true,
	parametersFormat: 'table',
	typeDeclarationFormat: 'list',
	sort: ['source-order'],
	validation: {notExported: false, invalidLink: true, invalidPath: true},
	treatWarningsAsErrors: true,
};

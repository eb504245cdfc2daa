// The navigation is made from the folder's listing: a new page is in it without an edit. This table gives an order and short titles; a page that it does not name comes last, by its heading.
import fs from 'node:fs';
import path from 'node:path';

const docs = path.resolve(import.meta.dirname, '..');

const order = {
	Begin: {
		'getting-started': 'Getting started',
		recipes: 'Recipes',
		troubleshooting: 'Troubleshooting',
		faq: 'Questions',
	},
	'What is cached': {
		expiration: 'Expiration',
		'cache-control': 'Following the origin',
		'stale-and-failures': 'Stale answers and failures',
		'conditional-requests': 'Conditional requests',
		invalidation: 'Invalidation',
		reasons: 'Reasons',
		settings: 'Settings',
	},
	'Where it is stored': {
		stores: 'Stores',
		'stores/sqlite': 'SQLite',
		'stores/memory': 'Memory',
		'stores/filesystem': 'Files',
		'stores/redis': 'Redis and Valkey',
		'stores/mongodb': 'MongoDB and GridFS',
		'stores/dynamodb': 'DynamoDB',
		'stores/keyv': 'Your own Keyv',
		'stores/keyv-adapters': 'Keyv adapters',
		'stores/your-own': 'A store of your own',
		serializers: 'Serializers',
		managing: 'Managing the cache',
		'command-line': 'Command line',
	},
	'How it is used': {
		classes: 'Classes',
		sdks: 'SDKs and other functions',
		'whole-process': 'The whole process',
		runners: 'Where it runs',
		got: 'Within Got',
		events: 'Events and figures',
		opentelemetry: 'OpenTelemetry',
		'record-and-replay': 'Record and replay',
		'many-processes': 'Many callers and processes',
		performance: 'Performance',
	},
	'Keys and security': {
		'keys-and-sharing': 'Keys and sharing',
		'cache-keys': 'Cache keys',
		'custom-keys': 'Keys of your own',
		security: 'Security',
		credentials: 'Credentials',
		'credential-names': 'Names of credentials',
		'data-at-rest': 'Data at rest',
		limits: 'Limits',
	},
	'Coming from': {
		'migration/requests-cache': 'requests-cache',
		'migration/got-cache': 'Got\'s cache option',
		'migration/axios-cache-interceptor': 'axios-cache-interceptor',
		'migration/cacheable-request': 'cacheable-request, Keyv',
	},
	'RFC 9111': {
		rfc9111: 'Storing',
		'rfc9111-reusing': 'Reusing',
		'rfc9111-validating': 'Validating',
		'rfc9111-fields': 'Fields',
	},
};

function * filesBelow(folder) {
	for (const entry of fs.readdirSync(path.join(docs, folder), {withFileTypes: true})) {
		const name = path.posix.join(folder, entry.name);
		if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
			yield * filesBelow(name);
		} else if (name.endsWith('.md')) {
			yield name.slice(0, -'.md'.length);
		}
	}
}

function headingOf(page) {
	return /^# (?<heading>.+)$/mv.exec(fs.readFileSync(path.join(docs, `${page}.md`), 'utf8'))?.groups.heading.replaceAll(/[\\`]/gv, '').replace(/^(?:Class|Function|Interface|Type Alias|Variable): /v, '') ?? page;
}

const itemOf = (page, text = headingOf(page)) => ({text, link: `/${page}`});

/** The names of one entry point, by kind. */
function referenceOf(folder, text, pages) {
	const kinds = {
		functions: 'Functions', classes: 'Classes', 'type-aliases': 'Types', interfaces: 'Types', variables: 'Constants',
	};
	const groups = Map.groupBy(
		pages.filter(page => page.startsWith(`${folder}/`) && page.slice(folder.length + 1).split('/').length === 2),
		page => kinds[page.slice(folder.length + 1).split('/', 1)[0]],
	);
	return {
		text,
		link: `/${folder}/`,
		collapsed: true,
		items: [...new Set(Object.values(kinds))].filter(kind => groups.has(kind)).map(kind => ({
			text: kind,
			collapsed: true,
			items: groups.get(kind).map(page => itemOf(page)).toSorted((one, other) => one.text.localeCompare(other.text, 'en')),
		})),
	};
}

export function sidebar() {
	const pages = [...filesBelow('')].filter(page => page !== 'index').toSorted((one, other) => one.localeCompare(other, 'en'));
	const guides = pages.filter(page => !page.startsWith('api/'));
	const groups = Object.entries(order).map(([text, titles]) => ({
		text,
		collapsed: false,
		items: Object.entries(titles).filter(([page]) => guides.includes(page)).map(([page, title]) => itemOf(page, title)),
	}));
	const named = new Set(Object.values(order).flatMap(titles => Object.keys(titles)));
	const others = guides.filter(page => !named.has(page)).map(page => itemOf(page));
	const modules = pages.filter(page => /^api\/.+\/README$/v.test(page) && !page.includes('not-exported')).map(page => page.replace(/\/README$/v, ''));
	const reference = {text: 'API reference', link: '/api/', items: modules.map(folder => referenceOf(folder, folder.replace('api/', ''), pages))};
	return [...groups, ...others.length === 0 ? [] : [{text: 'More', items: others}], reference].filter(({items}) => items.length > 0);
}

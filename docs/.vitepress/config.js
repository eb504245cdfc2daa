import fs from 'node:fs';
import process from 'node:process';
import {defineConfig} from 'vitepress';
import {repositoryLinks, slugOf} from './links.js';
import {sidebar} from './pages.js';

const {name, version, description, repository} = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const github = repository.replace(/^github:/v, 'https://github.com/');

export default defineConfig({
	title: name,
	description,
	lang: 'en',
	// No browser asks for an icon that is not there.
	head: [['link', {rel: 'icon', href: 'data:,'}]],
	// Where the site lies on its server: `DOCS_BASE=/got-cache-hooks/` for GitHub Pages.
	base: process.env.DOCS_BASE ?? '/',
	rewrites: page => page.replace(/(?<=^|\/)README\.md$/v, 'index.md'),
	markdown: {
		anchor: {slugify: slugOf},
		headers: {slugify: slugOf},
		config(markdown) {
			repositoryLinks(markdown, github);
		},
	},
	// The index of the search is one file.
	vite: {build: {chunkSizeWarningLimit: 8000}},
	themeConfig: {
		search: {provider: 'local'},
		nav: [
			{text: 'Guide', link: '/getting-started'},
			{text: 'API', link: '/api/'},
			{text: `v${version}`, link: `${github}/blob/HEAD/changelog.md`},
		],
		sidebar: sidebar(),
		outline: [2, 3],
		socialLinks: [{icon: 'github', link: github}],
	},
});

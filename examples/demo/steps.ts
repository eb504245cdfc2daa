import type {RequestSettings} from '../../source/index.ts';

/**
A request of the demo.
*/
export type Step = {
	readonly url: string;

	/** How the table calls it. */
	readonly request: string;
	readonly note: string;
	readonly method?: 'GET' | 'POST';
	readonly isStream?: boolean;

	/** Goes to `context.cache`. */
	readonly cache?: RequestSettings;
};

type SiteStep = Omit<Step, 'url' | 'request'> & {readonly path: string};

const site: readonly SiteStep[] = [
	{path: '/json', note: 'JSON'},
	{path: '/json', note: 'the same again'},
	{path: '/json', note: 'by the stream API', isStream: true},
	{path: '/gzip', note: 'a gzip body'},
	{path: '/gzip', note: 'stored decoded'},
	{path: '/old', note: 'a redirect to /new'},
	{path: '/old', note: 'both hops replayed'},
	{path: '/etag', note: 'expires at once, has an ETag'},
	{path: '/etag', note: 'validated: the origin said 304'},
	{path: '/flaky', note: 'expires at once'},
	{path: '/flaky', note: 'the origin answered 503'},
	{path: '/flaky', note: 'the origin cut the connection'},
	{path: '/private', note: 'DO_NOT_CACHE by its URL'},
	{path: '/private', note: 'so it is sent each time'},
	{path: '/new', note: 'context: {cache: {refresh: true}}', cache: {refresh: true}},
	{path: '/json', note: 'only GET and HEAD are cached', method: 'POST'},
];

export function siteSteps(origin: string): readonly Step[] {
	return site.map(({path, ...step}) => ({
		...step,
		url: origin + path,
		request: `${step.isStream ? 'STREAM' : step.method ?? 'GET'} ${path}`,
	}));
}

/** Each URL twice. */
export function urlSteps(urls: readonly string[]): readonly Step[] {
	return urls.flatMap(url => ['', 'the same again'].map(note => ({url, request: `GET ${showUrl(url)}`, note})));
}

// What may be a secret stays on the command line: user info and query.
function showUrl(url: string): string {
	if (!URL.canParse(url)) {
		return url;
	}

	const {host, pathname, search} = new URL(url);
	return host + pathname + (search === '' ? '' : '?…');
}

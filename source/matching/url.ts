/**
The URL as it parts the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

Repeated parameters keep their order; `?a` and `?a=` stay apart.

@param isStrict - Leaves the query in the order in which it came: whether it says something, only the origin knows.
*/
export function normalizeUrl(url: string, isStrict = false): string {
	const {protocol, host, pathname, search} = new URL(url);
	const path = `${protocol}//${host}${normalizeEscapes(pathname)}`;
	return path + (isStrict ? normalizeEscapes(search) : sortQuery(search));
}

/**
The URL as it may be stored and shown: without user info and fragment, the values of ignored parameters replaced.
*/
export function redactUrl(url: string, ignored: ReadonlySet<string>): string {
	const redacted = new URL(url);
	redacted.username = '';
	redacted.password = '';
	redacted.hash = '';
	if (redacted.search !== '') {
		const parts = redacted.search.slice(1).split('&').map(part => {
			const name = parameterName(part);
			return part.includes('=') && ignored.has(decodeName(name).toLowerCase()) ? `${name}=REDACTED` : part;
		});
		redacted.search = parts.join('&');
	}

	return redacted.href;
}

function sortQuery(search: string): string {
	if (search === '') {
		return '';
	}

	const parts = search.slice(1).split('&').filter(part => part !== '').map(part => normalizeEscapes(part));
	const sorted = parts.length < 2 ? parts : parts.toSorted((a, b) => compare(parameterName(a), parameterName(b)));
	return sorted.length === 0 ? '' : `?${sorted.join('&')}`;
}

function parameterName(part: string): string {
	const index = part.indexOf('=');
	return index === -1 ? part : part.slice(0, index);
}

function decodeName(name: string): string {
	try {
		return decodeURIComponent(name.replaceAll('+', ' '));
	} catch {
		return name;
	}
}

function compare(a: string, b: string): number {
	if (a === b) {
		return 0;
	}

	return a < b ? -1 : 1;
}

// RFC 3986 §6.2.2: escapes of unreserved characters are undone, the others written in upper case.
function normalizeEscapes(text: string): string {
	if (!text.includes('%')) {
		return text;
	}

	return text.replaceAll(/%[\da-f]{2}/giv, escape => {
		const character = String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
		return /[\w\-.~]/v.test(character) ? character : escape.toUpperCase();
	});
}

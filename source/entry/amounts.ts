const units: ReadonlyArray<readonly [name: string, milliseconds: number]> = [
	['d', 86_400_000],
	['h', 3_600_000],
	['m', 60_000],
	['s', 1000],
];

/** A length of time in its greatest unit, for people: `4 m`. */
export function describePeriod(milliseconds: number): string {
	const [name, unit] = units.find(([, size]) => milliseconds >= size) ?? ['ms', 1];
	return `${Math.floor(milliseconds / unit)} ${name}`;
}

/** Bytes for people: `308 B`, `1.2 kB`. */
export function describeBytes(bytes: number): string {
	if (bytes < 1000) {
		return `${bytes} B`;
	}

	return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

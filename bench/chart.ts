type Bar = {readonly name: string; readonly p50: number};

const row = 24;
const labelWidth = 260;
const barWidth = 440;
const top = 40;

/**
Horizontal bars, the shortest first, as an SVG that reads on light and dark pages.
*/
export function chart(title: string, bars: readonly Bar[]): string {
	const sorted = bars.toSorted((a, b) => a.p50 - b.p50);
	// One that is many times slower would leave nothing to see of the others: it is cut, and says so.
	const longest = Math.min(sorted.at(-1)!.p50, 4 * sorted[Math.floor(sorted.length / 2)]!.p50);
	const height = top + (row * sorted.length) + 10;
	const rows = sorted.map(({name, p50}, index) => {
		const y = top + (index * row);
		const width = Math.max(1, (Math.min(p50, longest) / longest) * barWidth);
		const color = name.startsWith('ours') ? '#2f81f7' : '#8b949e';
		return [
			`<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
			`<rect x="${labelWidth}" y="${y}" width="${width.toFixed(1)}" height="${row - 6}" rx="2" fill="${color}"/>`,
			`<text x="${labelWidth + width + 6}" y="${y + 13}">${p50.toFixed(0)} µs${p50 > longest ? ' (cut)' : ''}</text>`,
		].join('');
	});
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${labelWidth + barWidth + 110} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#6e7681"><text x="8" y="20" font-size="14" font-weight="600">${escape(title)}: median time (µs), less is better</text>${rows.join('')}</svg>\n`;
}

function escape(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

const made = new Map<number, string>();

/** JSON of exactly so many bytes: a list of small records. */
export function jsonBody(bytes: number): string {
	const known = made.get(bytes);
	if (known !== undefined) {
		return known;
	}

	const records: string[] = [];
	let {length} = '{"items":[],"fill":""}';
	for (let id = 0; ; id++) {
		const record = JSON.stringify({
			id, name: `name ${id}`, isActive: id % 2 === 0, score: id / 7,
		});
		length += record.length + 1;
		if (length > bytes) {
			break;
		}

		records.push(record);
	}

	const items = records.join(',');
	const fill = 'x'.repeat(Math.max(0, bytes - `{"items":[${items}],"fill":""}`.length));
	const body = `{"items":[${items}],"fill":"${fill}"}`;
	made.set(bytes, body);
	return body;
}

/** What DynamoDB keeps, as far as it is used here: the SDK's `AttributeValue` without sets. */
export type Attribute =
	| {readonly S: string}
	| {readonly N: string}
	| {readonly B: Uint8Array}
	| {readonly BOOL: boolean}
	| {readonly NULL: true}
	| {readonly L: Attribute[]}
	| {readonly M: Record<string, Attribute>};

export type Item = Readonly<Record<string, Attribute>>;

export function textIn(item: Item, name: string): string | undefined {
	const attribute = item[name];
	return attribute !== undefined && 'S' in attribute ? attribute.S : undefined;
}

export function numberIn(item: Item, name: string): number | undefined {
	const attribute = item[name];
	return attribute !== undefined && 'N' in attribute ? Number(attribute.N) : undefined;
}

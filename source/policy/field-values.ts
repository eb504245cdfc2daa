export function normalizeFieldValue(_name: string, value: string): string {
	return value.split(',').map(part => part.trim()).join(',');
}

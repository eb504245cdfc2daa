/** Under this key, frameworks find the settings of a method or a class. */
export const settingsKey = 'got-cache-hooks:settings';

/** Under this key, frameworks find what a method invalidates. */
export const invalidatesKey = 'got-cache-hooks:invalidates';

/** What `reflect-metadata` adds to `Reflect`, once somebody has loaded it. */
type Metadata = {
	readonly defineMetadata?: (key: unknown, value: unknown, target: object, property?: string | symbol) => void;
	readonly getOwnMetadata?: (key: unknown, target: object, property?: string | symbol) => unknown;
	readonly getOwnMetadataKeys?: (target: object) => unknown[];
};

const reflect = Reflect as unknown as Metadata;

/** Notes settings above those that are noted already; without `reflect-metadata` it notes nothing. */
export function noteMetadata(key: string, value: object, target: object, property?: string | symbol): void {
	if (reflect.defineMetadata === undefined || reflect.getOwnMetadata === undefined) {
		return;
	}

	const place: [target: object, property?: string | symbol] = property === undefined ? [target] : [target, property];
	const known = reflect.getOwnMetadata(key, ...place) as object | undefined;
	reflect.defineMetadata(key, Object.freeze({...known, ...value}), ...place);
}

/** Notes at another place what is noted on a function: by all decorators of ours that stand on it. */
export function noteAsOn(made: object, key: string, target: object, property: string | symbol): void {
	const known = reflect.getOwnMetadata?.(key, made) as object | undefined;
	if (known !== undefined) {
		noteMetadata(key, known, target, property);
	}
}

/** What others have noted on a function holds for the one that takes its place. */
export function copyMetadata(from: object, to: object): void {
	if (reflect.getOwnMetadataKeys === undefined || reflect.getOwnMetadata === undefined) {
		return;
	}

	for (const key of reflect.getOwnMetadataKeys(from)) {
		reflect.defineMetadata?.(key, reflect.getOwnMetadata(key, from), to);
	}
}

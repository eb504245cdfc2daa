// Installing `@keyv/sqlite` compiles it, so it is not a devDependency. These are the types that are used.
declare module '@keyv/sqlite' {
	export class KeyvSqlite {
		constructor(options: object);
		get(key: string): Promise<any>;
		set(key: string, value: unknown, third?: number): Promise<any>;
		delete(key: string): Promise<boolean>;
		clear(): Promise<void>;
		has(key: string): Promise<boolean>;
	}
}

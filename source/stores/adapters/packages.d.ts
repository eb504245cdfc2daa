// `@keyv/sqlite` is compiled on install, so that it is no devDependency: what is used of it is said here.
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

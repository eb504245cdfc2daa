// `@keyv/sqlite` compiles on install, so that it is no devDependency: what is used of it is said in `sqlite.ts`.
declare module '@keyv/sqlite' {
	export const KeyvSqlite: unknown;
}

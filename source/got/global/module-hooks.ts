import * as nodeModule from 'node:module';

/** Registers module hooks. `undefined` in Bun, which has none: an import by name does not link there. */
export const registerHooks = nodeModule.registerHooks as typeof nodeModule.registerHooks | undefined;

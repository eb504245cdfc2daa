import {CacheHooksError} from '../errors.ts';

/**
An optional package that a store needs. Whether it is there is seen at once; it is loaded when it is first asked for.

@param store - Who needs it, for the message.
@param load - Imports it by its name, which the linter wants to see.
@throws {CacheHooksError} `ERR_STORE_DRIVER`, with the command that installs it, where it is not installed.
*/
export function driver<Module>(packageName: string, store: string, load: () => Promise<Module>): () => Promise<Module> {
	try {
		import.meta.resolve(packageName);
	} catch (error) {
		throw new CacheHooksError('ERR_STORE_DRIVER', `The store \`'${store}'\` needs the package \`${packageName}\`: npm install ${packageName}`, {cause: error});
	}

	let loaded: Promise<Module> | undefined;
	return async () => {
		loaded ??= load();
		return loaded;
	};
}

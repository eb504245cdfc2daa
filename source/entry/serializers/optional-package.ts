import {CacheHooksError} from '../../errors.ts';

/**
An optional package that a format needs.

@param load - Requires it by its name, which the linter wants to see.
@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE`, with the command that installs it, where it is not installed.
*/
export function optionalPackage<Module>(packageName: string, format: string, load: () => Module): Module {
	try {
		return load();
	} catch (error) {
		if ((error as {code?: unknown}).code !== 'MODULE_NOT_FOUND') {
			throw error;
		}

		throw new CacheHooksError('ERR_SERIALIZER_PACKAGE', `The serializer \`'${format}'\` needs the package \`${packageName}\`: npm install ${packageName}`, {cause: error});
	}
}

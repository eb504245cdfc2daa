import type * as Bson from 'bson';
import {then} from '../../maybe-promise.ts';
import {optionalPackage} from '../../optional-package.ts';
import {assertPlain, isWithinLimits} from './limits.ts';
import {
	packageError,
	UnreadableError,
	type EntryDocument,
	type Stage,
} from './stage.ts';

// The buffer of the package, 17 MB, is large enough for any body up to this size.
const maxDefaultBytes = 1024 * 1024;

/**
Creates the stage that serializes entries as BSON, by the package `bson`.

@throws `MODULE_NOT_FOUND` if the package is not installed.
*/
export function bson(): Stage<'document', 'bytes'> {
	const library = optionalPackage<typeof Bson>('bson', async () => {
		try {
			return await import('bson');
		} catch (error) {
			throw packageError('bson', error);
		}
	});
	return {
		name: 'bson',
		takes: 'document',
		gives: 'bytes',

		dumps: document => then(library(), ({serialize, calculateObjectSize, setInternalBufferSize}) => {
			if (document.byteLength > maxDefaultBytes) {
				setInternalBufferSize(calculateObjectSize(document));
			}

			return serialize(document);
		}),

		loads(bytes) {
			return then(library(), ({deserialize}) => {
				// The package checks each length, and each value takes some bytes, so that a few of them cannot take much memory.
				const value: unknown = deserialize(bytes, {promoteBuffers: true});
				assertPlain(value, bytes.byteLength);
				if (!isWithinLimits(value)) {
					throw new UnreadableError('too-large');
				}

				return value as EntryDocument;
			});
		},
	};
}

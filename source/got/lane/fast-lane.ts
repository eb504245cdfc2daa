import type {BeforeRequestHook, HandlerFunction, Options} from 'got';
import type {Engine} from '../../exchange/engine.ts';
import {isFirstHandler} from './is-first-handler.ts';
import {placeOf} from './merges.ts';
import {Passage, type Next} from './passage.ts';
import {isPlainGet} from './plain-request.ts';

/**
A handler that answers fresh hits of the promise API without Got's request, where nobody could tell the difference; all else goes Got's way.

@param areOurs - Whether no hook but this library's runs before a request, and the last of them is of this engine.
*/
export function fastLane(engine: Engine, areOurs: (hooks: readonly BeforeRequestHook[]) => boolean): HandlerFunction {
	const lane = (options: Options | undefined, next: Next): unknown => {
		// Got has none where what was asked for is wrong; for a stream, it wants its own.
		const isOpen = options !== undefined && !options.isStream && engine.settings.fastLane && isPlainGet(options) && areOurs(options.hooks.beforeRequest) && isAlone(options);
		return isOpen ? new Passage(options, next, engine).promise : next(options!);
	};

	/** Whether no other handler stands before this one or behind. */
	const isAlone = (options: Options): boolean => {
		const place = placeOf(options, lane as HandlerFunction);
		if (place !== undefined) {
			place.isFirst ??= isFirstHandler(lane as HandlerFunction);
		}

		return place?.isFirst === true;
	};

	return lane as HandlerFunction;
}

import type {BeforeRequestHook, HandlerFunction, Options} from 'got';
import type {Engine} from '../../engine/engine.ts';
import {isWhole} from './merges.ts';
import {Passage, type Next} from './passage.ts';

/**
A handler that answers fresh hits of the promise API without Got's request, where nobody could tell the difference; all else goes Got's way.

@param areOurs - Whether no hook but this library's runs before a request, and the last of them is of this engine.
*/
export function fastLane(engine: Engine, areOurs: (hooks: readonly BeforeRequestHook[]) => boolean): HandlerFunction {
	const lane = (options: Options | undefined, next: Next): unknown => {
		// Got has none where what was asked for is wrong; for a stream, it wants its own.
		const isOpen = options !== undefined && !options.isStream && engine.settings.fastLane && areOurs(options.hooks.beforeRequest) && isWhole(options);
		return isOpen ? new Passage(options, next, engine).promise : next(options!);
	};

	return lane as HandlerFunction;
}

import type {EventEmitter} from 'node:events';

/** Emits the event itself, or another one in its place. */
export type Emission = (event?: string | symbol, argument?: unknown) => boolean;

type Emit = (event: string | symbol, ...arguments_: unknown[]) => boolean;

/**
Stands before an emitter's `emit`. Listeners cannot do what this does: see an event first, and change it, whoever listens.

@param intercept - Gets the event, its first argument, and what emits it, by itself or with another event in its place.
@returns What takes the interception off again.
*/
export function replaceEmit(emitter: EventEmitter, intercept: (event: string | symbol, argument: unknown, emit: Emission) => boolean): () => void {
	const original = emitter.emit as Emit;
	const own = Object.getOwnPropertyDescriptor(emitter, 'emit');

	const emit: Emit = (event, ...arguments_) => intercept(event, arguments_[0], (replacedEvent, replacement) => replacedEvent === undefined
		? original.call(emitter, event, ...arguments_)
		: original.call(emitter, replacedEvent, replacement));

	// Not enumerable: whoever copies the properties of a response must not copy this.
	Object.defineProperty(emitter, 'emit', {
		value: emit, configurable: true, writable: true, enumerable: false,
	});

	return () => {
		// Someone may stand before us in turn; what calls us then must still find us.
		if (emitter.emit !== emit) {
			return;
		}

		if (own === undefined) {
			Reflect.deleteProperty(emitter, 'emit');
		} else {
			Object.defineProperty(emitter, 'emit', own);
		}
	};
}

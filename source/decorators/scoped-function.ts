import {
	callInScope,
	scopes,
	Layer,
	type LayerOptions,
} from '../exchange/scope.ts';
import {enterClass, enterDefinition, type ClassDefinition} from './class-settings.ts';
import {asTwin, type AnyFunction} from './function-twin.ts';
import {holdScope} from './hold-scope.ts';

const knowTheirClass = new WeakSet<AnyFunction>();

/** Whether a function enters its class by itself. */
export function entersClass(twin: AnyFunction): boolean {
	return knowTheirClass.has(twin);
}

/** A function in whose calls settings hold: those of the class of its object, and those given above them. */
export function scopedFunction(original: AnyFunction, options?: LayerOptions): AnyFunction {
	const layer = options && new Layer(options);
	return classFunction(original, function (this: unknown, ...inputs: unknown[]): unknown {
		const inClass = enterClass(this, scopes.getStore());
		const scope = layer === undefined ? inClass : layer.within(inClass);
		const result = callInScope<unknown, unknown[], unknown>(scope, original, this, inputs);
		return scope === undefined ? result : holdScope(result, scope);
	});
}

/** A function in whose calls settings hold as those of a class do in its methods. */
export function settledFunction(original: AnyFunction, definition: ClassDefinition): AnyFunction {
	return asTwin(function (this: unknown, ...inputs: unknown[]): unknown {
		const scope = enterDefinition(definition, this ?? original, scopes.getStore());
		return holdScope(callInScope<unknown, unknown[], unknown>(scope, original, this, inputs), scope);
	}, original);
}

/** A function that takes another's place, and sees to its class itself. */
export function classFunction(original: AnyFunction, twin: AnyFunction): AnyFunction {
	knowTheirClass.add(twin);
	return asTwin(twin, original);
}

import {CacheHooksError} from '../errors.ts';
import type {AnyFunction} from './function-twin.ts';
import {noteAsOn, noteMetadata} from './metadata.ts';

/** What a decorator is told of the method, whatever the dialect. */
export type Declaration = {
	/** For messages: `@Cached() repos`. */
	readonly label: string;
	readonly name: string;
};

type Make = (original: AnyFunction, declaration: Declaration) => AnyFunction;

/** A decorator of methods: what it puts in a function's place, and what it notes for frameworks. */
export type MethodDecorator = {
	/** As one writes it: `@Cached()`. */
	readonly label: string;
	readonly make: Make;

	/** Told of an object, or a class, that has what was made. */
	readonly see?: (made: AnyFunction, self: object) => void;
	readonly metadata: readonly [key: string, value: object];
};

/** What standard decorators are told; not by TypeScript's types, which know each kind apart. */
type Context = {
	readonly kind: string;
	readonly name: string | symbol;
	readonly addInitializer: (initializer: (this: object) => void) => void;
};

type Accessor = {readonly get: () => unknown; readonly set: (value: unknown) => void};

export function isContext(value: unknown): value is Context {
	return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

/**
Applies a decorator, in the dialect in which it was called: standard decorators are told a context with a `kind`.

@throws {CacheHooksError} Where it stands on something that is no method, accessor or getter.
*/
export function decorate(decorator: MethodDecorator, inputs: readonly unknown[]): unknown {
	const [target, key, descriptor] = inputs;
	if (isContext(key)) {
		return decorateStandard(decorator, target, key);
	}

	if (inputs.length === 1 || (typeof key !== 'string' && typeof key !== 'symbol')) {
		throw misplaced(decorator.label, inputs.length === 1 ? 'a class' : 'nothing that it knows');
	}

	if (typeof descriptor !== 'object' || descriptor === null) {
		throw misplaced(decorator.label, typeof descriptor === 'number' ? `a parameter of \`${String(key)}\`` : `the field \`${String(key)}\``);
	}

	return decorateLegacy(decorator, target as object, key, descriptor);
}

export function misplaced(label: string, place: string, expected = 'a method, an accessor or a getter that gives a function'): CacheHooksError {
	return new CacheHooksError('ERR_DECORATOR_PLACE', `\`${label}\` stands on ${place}: expected ${expected}`);
}

function decorateStandard(decorator: MethodDecorator, target: unknown, context: Context): unknown {
	const {kind, name} = context;
	const declaration: Declaration = {label: `${decorator.label} ${String(name)}`, name: String(name)};
	const make = (original: AnyFunction): AnyFunction => noted(decorator, decorator.make(original, declaration));
	switch (kind) {
		case 'method': {
			const made = make(target as AnyFunction);
			noteWhereItLies(decorator, context, made);
			return made;
		}

		case 'getter': {
			return functionGetter(target as () => unknown, make, declaration);
		}

		case 'accessor': {
			return {get: functionGetter((target as Accessor).get, make, declaration)};
		}

		default: {
			throw misplaced(decorator.label, `the ${kind} \`${String(name)}\``);
		}
	}
}

function decorateLegacy(decorator: MethodDecorator, target: object, key: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor {
	const declaration: Declaration = {label: `${decorator.label} ${String(key)}`, name: String(key)};
	const make = (original: AnyFunction): AnyFunction => noted(decorator, decorator.make(original, declaration));
	const {value, get} = descriptor as {value?: unknown; get?: () => unknown};
	if (typeof value !== 'function' && get === undefined) {
		throw misplaced(decorator.label, `\`${String(key)}\`, which is no function`);
	}

	noteMetadata(...decorator.metadata, target, key);
	if (get !== undefined) {
		return {...descriptor, get: functionGetter(get, make, declaration)};
	}

	const made = make(value as AnyFunction);
	decorator.see?.(made, typeof target === 'function' ? target : Object.create(target) as object);
	return {...descriptor, value: made};
}

/** One and the same function is wrapped once, so that a getter that always gives the same still does. */
function functionGetter(get: () => unknown, make: (original: AnyFunction) => AnyFunction, {label}: Declaration): () => unknown {
	const made = new WeakMap<object, AnyFunction>();
	return function (this: unknown) {
		const value: unknown = Reflect.apply(get, this, []);
		if (typeof value !== 'function') {
			throw new CacheHooksError('ERR_DECORATOR_PLACE', `\`${label}\` gives no function: what a getter or an accessor is decorated for is the function that it gives`);
		}

		const known = made.get(value) ?? make(value as AnyFunction);
		made.set(value, known);
		return known;
	};
}

function noted(decorator: MethodDecorator, made: AnyFunction): AnyFunction {
	noteMetadata(...decorator.metadata, made);
	return made;
}

/** In this dialect the place of a method is known only when there is an instance of it. */
function noteWhereItLies(decorator: MethodDecorator, {name, addInitializer}: Context, made: AnyFunction): void {
	let isNoted = false;
	addInitializer(function () {
		decorator.see?.(made, this);
		if (isNoted) {
			return;
		}

		isNoted = true;
		const place = placeWith(this, name, made);
		if (place !== undefined) {
			noteAsOn(made, decorator.metadata[0], place, name);
		}
	});
}

/** The object in the chain of prototypes that has it as its own; none has what is private. */
function placeWith(from: object, name: string | symbol, made: AnyFunction): object | undefined {
	for (let place: object | null = from; place !== null; place = Object.getPrototypeOf(place) as object | null) {
		if (Object.getOwnPropertyDescriptor(place, name)?.value === made) {
			return place;
		}
	}

	return undefined;
}

import {CacheHooksError, SettingError} from '../errors.ts';

/** Any function. Its own types say what it takes and returns. */

export type AnyFunction = (this: any, ...inputs: any[]) => any;

type PropertyName = string | symbol;

/**
A decorator of methods, and of accessors and getters that return a function, including static and private ones. It supports both standard and legacy decorators.
*/
export type FunctionDecorator = {
	/** A standard decorator of an accessor. */
	<This, Member extends AnyFunction>(target: ClassAccessorDecoratorTarget<This, Member>, context: ClassAccessorDecoratorContext<This, Member>): any;

	/** A standard decorator of a getter. */
	<This, Member extends AnyFunction>(target: (this: This) => Member, context: ClassGetterDecoratorContext<This, Member>): any;

	/** A legacy decorator (`experimentalDecorators`). */
	<Member extends AnyFunction>(target: object, key: PropertyName, descriptor: TypedPropertyDescriptor<Member>): any;

	/** A standard decorator of a method. */
	<This, Member extends (this: This, ...inputs: any) => any>(target: Member, context: ClassMethodDecoratorContext<This, Member>): any;
};

type AsyncFunction<This, Inputs extends any[], Value> = (this: This, ...inputs: Inputs) => Promise<Value>;

/**
A decorator of functions that return a promise, standard and legacy. It has one signature for all places, since only then can the compiler infer the types of the settings from the method. `NoInfer` allows methods that take more than their `keyFn` does, getters and accessors.
*/
export type ResultDecorator<This, Inputs extends any[], Value> = (
	target: This | AsyncFunction<This, Inputs, Value> | NoInfer<AsyncFunction<This, any, Value> | ((this: This) => AsyncFunction<any, any, any>) | ClassAccessorDecoratorTarget<This, AsyncFunction<any, any, any>>>,
	context: PropertyName | ClassMethodDecoratorContext<This, AsyncFunction<This, Inputs, Value>> | NoInfer<ClassMethodDecoratorContext<This, AsyncFunction<This, any, Value>>> | ClassGetterDecoratorContext<This, AsyncFunction<any, any, any>> | ClassAccessorDecoratorContext<This, AsyncFunction<any, any, any>>,
	descriptor?: TypedPropertyDescriptor<(...inputs: Inputs) => Promise<Value>> | NoInfer<TypedPropertyDescriptor<(...inputs: any) => Promise<Value>>>,
) => any;

type MethodOf<This, Inputs extends any[]> = (this: This, ...inputs: Inputs) => any;

/**
A decorator of methods whose settings may depend on the arguments of the call.
*/
export type CallDecorator<This, Inputs extends any[]> = (
	target: This | MethodOf<This, Inputs> | NoInfer<MethodOf<This, any>>,
	context: PropertyName | ClassMethodDecoratorContext<This, MethodOf<This, Inputs>> | NoInfer<ClassMethodDecoratorContext<This, MethodOf<This, any>>>,
	descriptor?: TypedPropertyDescriptor<(...inputs: Inputs) => any> | NoInfer<TypedPropertyDescriptor<(...inputs: any) => any>>,
) => any;

/** A decorator of classes, standard and legacy. */
export type ClassDecorator = <Class extends abstract new (...inputs: any[]) => any>(target: Class, context?: ClassDecoratorContext<Class>) => void;

/** A decorated method, identified by this object. */
export type DecoratedMethod = {
	/** Identifies the method in error messages: `@Cached() repos`. */
	readonly label: string;
	readonly name: string;
};

/** How a decorator wraps methods, and the metadata that it defines for frameworks. */
export type MethodDecorator = {
	/** The decorator as users write it: `@Cached()`. */
	readonly label: string;
	readonly wrap: (original: AnyFunction, method: DecoratedMethod) => AnyFunction;

	/** Called with each object or class that has a wrapped method. */
	readonly onOwner?: (wrapper: AnyFunction, owner: object) => void;
	readonly metadata: readonly [key: string, value: object];
};

export function isContext(value: unknown): value is DecoratorContext {
	return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

/**
Applies a decorator as a standard or legacy one: standard decorators get a context with a `kind`.

@throws {CacheHooksError} If it is applied to something that is not a method, accessor or getter.
*/
export function decorate(decorator: MethodDecorator, inputs: readonly unknown[]): unknown {
	const [target, key, descriptor] = inputs;
	if (isContext(key)) {
		return decorateStandard(decorator, target, key);
	}

	if (inputs.length === 1) {
		throw placeError(decorator.label, 'a class');
	}

	if (typeof key !== 'string' && typeof key !== 'symbol') {
		throw placeError(decorator.label, 'something unknown');
	}

	if (typeof descriptor !== 'object' || descriptor === null) {
		throw placeError(decorator.label, typeof descriptor === 'number' ? `a parameter of \`${String(key)}\`` : `the field \`${String(key)}\``);
	}

	return decorateLegacy(decorator, target as object, key, descriptor);
}

export function placeError(label: string, place: string, expected = 'a method, or an accessor or getter that returns a function'): CacheHooksError {
	return new CacheHooksError('ERR_DECORATOR_PLACE', `\`${label}\` is applied to ${place}. Apply it to ${expected}.`);
}

/**
Refuses the call of a decorator that stands without parentheses: its arguments are what is decorated.

@throws {SettingError} When the arguments are those of a standard or a legacy decorator.
*/
export function checkParentheses(name: string, inputs: readonly unknown[]): void {
	const [target, key] = inputs;
	const isClass = inputs.length === 1 && typeof target === 'function' && name !== 'Invalidates';
	const isLegacy = typeof target === 'object' && (typeof key === 'string' || typeof key === 'symbol');
	if (isClass || isLegacy || isContext(key)) {
		throw new SettingError(name, `\`@${name}\` stands without parentheses. Call it: \`@${name}()\`.`);
	}
}

function decorateStandard(decorator: MethodDecorator, target: unknown, context: DecoratorContext): unknown {
	const {kind, name = ''} = context;
	const wrap = wrapperOf(decorator, name);
	switch (kind) {
		case 'method': {
			const wrapper = wrap(target as AnyFunction);
			trackOwners(decorator, context as ClassMethodDecoratorContext<object>, wrapper);
			return wrapper;
		}

		case 'getter': {
			return wrapGetter(target as () => unknown, wrap, decorator, name);
		}

		case 'accessor': {
			return {get: wrapGetter((target as ClassAccessorDecoratorTarget<unknown, unknown>).get, wrap, decorator, name)};
		}

		case 'class':
		case 'field':
		case 'setter': {
			throw placeError(decorator.label, `the ${kind} \`${String(name)}\``);
		}
	}
}

function decorateLegacy(decorator: MethodDecorator, target: object, key: PropertyName, descriptor: PropertyDescriptor): PropertyDescriptor {
	const wrap = wrapperOf(decorator, key);
	const {value, get} = descriptor as {value?: unknown; get?: () => unknown};
	if (typeof value !== 'function' && get === undefined) {
		throw placeError(decorator.label, `\`${String(key)}\`, which is not a function`);
	}

	defineMetadata(...decorator.metadata, target, key);
	if (get !== undefined) {
		return {...descriptor, get: wrapGetter(get, wrap, decorator, key)};
	}

	const wrapper = wrap(value as AnyFunction);
	decorator.onOwner?.(wrapper, typeof target === 'function' ? target : Object.create(target) as object);
	return {...descriptor, value: wrapper};
}

function labelOf({label}: MethodDecorator, name: PropertyName): string {
	return `${label} ${String(name)}`;
}

function wrapperOf(decorator: MethodDecorator, name: PropertyName): (original: AnyFunction) => AnyFunction {
	// One object for all functions of a getter, since it identifies the method.
	const method: DecoratedMethod = {label: labelOf(decorator, name), name: String(name)};
	return original => {
		const wrapper = decorator.wrap(original, method);
		defineMetadata(...decorator.metadata, wrapper);
		return wrapper;
	};
}

/** Wraps each function once, so that a getter that always returns the same function still does. */
function wrapGetter(get: () => unknown, wrap: (original: AnyFunction) => AnyFunction, decorator: MethodDecorator, name: PropertyName): () => unknown {
	const wrappers = new WeakMap<object, AnyFunction>();
	return function (this: unknown) {
		const value: unknown = Reflect.apply(get, this, []);
		if (typeof value !== 'function') {
			throw new CacheHooksError('ERR_DECORATOR_PLACE', `\`${labelOf(decorator, name)}\` does not return a function. Decorate getters and accessors that return one.`);
		}

		const wrapper = wrappers.get(value) ?? wrap(value as AnyFunction);
		wrappers.set(value, wrapper);
		return wrapper;
	};
}

/** A standard decorator learns the owner of a method only from an instance. */
function trackOwners(decorator: MethodDecorator, {name, addInitializer}: ClassMethodDecoratorContext<object>, wrapper: AnyFunction): void {
	let isDefined = false;
	addInitializer(function () {
		decorator.onOwner?.(wrapper, this);
		if (isDefined) {
			return;
		}

		isDefined = true;
		const owner = ownerOf(this, name, wrapper);
		if (owner !== undefined) {
			copyToProperty(wrapper, decorator.metadata[0], owner, name);
		}
	});
}

/** Returns the object in the prototype chain that has the method; `undefined` for a private method. */
function ownerOf(from: object, name: PropertyName, wrapper: AnyFunction): object | undefined {
	for (let owner: object | null = from; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
		if (Object.getOwnPropertyDescriptor(owner, name)?.value === wrapper) {
			return owner;
		}
	}

	return undefined;
}

/** The metadata key of the cache settings of a method or a class. */
export const settingsKey = 'got-cache-hooks:settings';

/** The metadata key of what a method invalidates. */
export const invalidatesKey = 'got-cache-hooks:invalidates';

/** The functions that the package `reflect-metadata` adds to `Reflect`. */
type ReflectMetadata = {
	readonly defineMetadata?: (key: unknown, value: unknown, target: object, property?: PropertyName) => void;
	readonly getOwnMetadata?: (key: unknown, target: object, property?: PropertyName) => unknown;
	readonly getOwnMetadataKeys?: (target: object) => unknown[];
};

const reflect = Reflect as unknown as ReflectMetadata;

/** Defines settings as metadata for frameworks, in addition to those already there; does nothing without `reflect-metadata`. */
export function defineMetadata(key: string, value: object, target: object, property?: PropertyName): void {
	if (reflect.defineMetadata === undefined || reflect.getOwnMetadata === undefined) {
		return;
	}

	const place: [target: object, property?: PropertyName] = property === undefined ? [target] : [target, property];
	const known = reflect.getOwnMetadata(key, ...place) as object | undefined;
	reflect.defineMetadata(key, Object.freeze({...known, ...value}), ...place);
}

/** Copies what all decorators of this library have defined on a function to the property that has it. */
function copyToProperty(wrapper: object, key: string, target: object, property: PropertyName): void {
	const known = reflect.getOwnMetadata?.(key, wrapper) as object | undefined;
	if (known !== undefined) {
		defineMetadata(key, known, target, property);
	}
}

/**
Gives a wrapper the name, length, own properties and metadata of the original function, so that frameworks find them.
*/
export function mimicFunction<Wrapper extends AnyFunction>(wrapper: Wrapper, original: AnyFunction): Wrapper {
	for (const key of Reflect.ownKeys(original)) {
		const descriptor = Object.getOwnPropertyDescriptor(original, key)!;
		if (key !== 'prototype' && Object.getOwnPropertyDescriptor(wrapper, key)?.configurable !== false) {
			Object.defineProperty(wrapper, key, descriptor);
		}
	}

	for (const key of reflect.getOwnMetadataKeys?.(original) ?? []) {
		reflect.defineMetadata?.(key, reflect.getOwnMetadata?.(key, original), wrapper);
	}

	return wrapper;
}

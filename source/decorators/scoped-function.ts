import {
	callInScope,
	Layer,
	scopes,
	type LayerOptions,
	type Scope,
} from '../exchange/scope.ts';
import {scopeOfClass, scopeOfConfig, type ClassConfig} from './class-settings.ts';
import {mimicFunction, type AnyFunction} from './method-decorator.ts';

const wrappers = new WeakSet<AnyFunction>();

/** Whether a function enters the scope of its class by itself. */
export function isWrapper(method: AnyFunction): boolean {
	return wrappers.has(method);
}

/** Makes a wrapper mimic its original. The wrapper has to enter the scope of its class. */
export function wrapMethod(original: AnyFunction, wrapper: AnyFunction): AnyFunction {
	wrappers.add(wrapper);
	return mimicFunction(wrapper, original);
}

/** Returns a function that calls the original with the settings of the class of its object, and those given, which take precedence. */
export function scopedFunction(original: AnyFunction, options?: LayerOptions): AnyFunction {
	const layer = options && new Layer(options);
	return wrapMethod(original, function (this: unknown, ...inputs: unknown[]): unknown {
		const inClass = scopeOfClass(this, scopes.getStore());
		const scope = layer === undefined ? inClass : layer.within(inClass);
		const result = callInScope<unknown, unknown[], unknown>(scope, original, this, inputs);
		return scope === undefined ? result : bindToScope(result, scope);
	});
}

/** Returns a function that calls the original like a method of a class with settings. */
export function configuredFunction(original: AnyFunction, config: ClassConfig): AnyFunction {
	return mimicFunction(function (this: unknown, ...inputs: unknown[]): unknown {
		const scope = scopeOfConfig(config, this ?? original, scopes.getStore());
		return bindToScope(callInScope<unknown, unknown[], unknown>(scope, original, this, inputs), scope);
	}, original);
}

const iteratorMethods = ['next', 'return', 'throw'] as const;

type Iterated = Partial<Record<typeof iteratorMethods[number] | '_read', unknown>> & {
	readonly [Symbol.iterator]?: unknown;
	readonly [Symbol.asyncIterator]?: unknown;
};

/**
Binds the later work of a returned value to the scope of the function: the steps of generators and iterators, and the reads of a stream. The scope of the consumer does not change. A promise with methods of its own, such as that of Got, is returned as it is.
*/
export function bindToScope(value: unknown, scope: Scope): unknown {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (value instanceof Promise) {
		return isPlainPromise(value) ? bindResolved(value, scope) : value;
	}

	const iterated = value as Iterated;
	if (typeof iterated.next === 'function') {
		// An object that is not iterable merely has a method called `next`.
		if (iterated[Symbol.iterator] !== undefined || iterated[Symbol.asyncIterator] !== undefined) {
			bindMethods(value, iteratorMethods, scope);
		}
	} else if (typeof iterated._read === 'function') {
		bindMethods(value, ['_read'], scope);
	} else if (typeof iterated[Symbol.asyncIterator] === 'function') {
		bindIterable(value, scope);
	}

	return value;
}

function isPlainPromise(promise: Promise<unknown>): boolean {
	return promise.constructor === Promise && Reflect.ownKeys(promise).every(key => typeof key === 'symbol');
}

async function bindResolved(promise: Promise<unknown>, scope: Scope): Promise<unknown> {
	return bindToScope(await promise, scope);
}

function bindIterable(value: object, scope: Scope): void {
	const original = (value as Record<symbol, AnyFunction>)[Symbol.asyncIterator]!;
	defineMethod(value, Symbol.asyncIterator, function (this: unknown) {
		const iterator = callInScope(scope, original, this, []) as object;
		bindMethods(iterator, iteratorMethods, scope);
		return iterator;
	});
}

function bindMethods(value: object, names: readonly string[], scope: Scope): void {
	for (const name of names) {
		const original = (value as Record<string, unknown>)[name];
		if (typeof original === 'function') {
			defineMethod(value, name, function (this: unknown, ...inputs) {
				return callInScope<unknown, unknown[], unknown>(scope, original as AnyFunction, this, inputs);
			});
		}
	}
}

/** Defines a method on the object, which no caller has yet. A frozen object stays as it is. */
function defineMethod(value: object, name: string | symbol, method: (this: unknown, ...inputs: unknown[]) => unknown): void {
	Reflect.defineProperty(value, name, {value: method, writable: true, configurable: true});
}

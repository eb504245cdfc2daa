import type {HttpCache} from '../cache/http-cache.ts';
import type {RequestSettings} from '../settings/settings.ts';

/**
What a method says of the requests that are made inside it.
*/
export type MethodSettings = RequestSettings & {
	/**
	The cache whose requests are meant; `undefined` is every one.

	@default undefined
	*/
	readonly cache?: HttpCache | undefined;
	readonly result?: false | undefined;
};

/**
What a method says of its own result, which is kept in the store of its class.
*/
export type ResultSettings<This, Inputs extends readonly unknown[], Value> = Omit<RequestSettings, 'allowableCodes' | 'allowableMethods' | 'filterFn' | 'keyFn'> & {
	readonly result: true;

	/**
	Who shares results: all instances of a class, by the arguments, or each instance with itself alone.

	@default 'class'
	*/
	readonly scope?: 'class' | 'instance' | undefined;

	/**
	The class of the result, or of the items of the array that it is: what is kept is a plain copy, which becomes an instance again. Its private fields are lost; see `revive`.

	@default undefined
	*/

	readonly type?: (abstract new (...inputs: any[]) => NoInfer<Value> extends ReadonlyArray<infer Item> ? Item : NoInfer<Value>) | undefined;

	/**
	Makes the result of the plain copy that is kept.

	@default undefined
	*/

	readonly revive?: ((plain: any) => NoInfer<Value> | Promise<NoInfer<Value>>) | undefined;

	/**
	What takes the place of the arguments in the key: any plain data, or `undefined` for a call that is not to be cached.

	@default undefined
	*/
	readonly keyFn?: ((this: This, self: This, ...inputs: Inputs) => unknown) | undefined;

	/**
	Whether a result may be kept and used, asked before it is written and when it is read.

	@default undefined
	*/
	readonly filterFn?: ((this: This, value: Value, self: This, ...inputs: Inputs) => boolean | Promise<boolean>) | undefined;

	/**
	What stands for class and method in the key, where their names do not tell them apart, or a minifier changes them. It belongs to one function: another one of the same name in the same cache is an error (`ERR_CALL_NAME`) when it is called.

	@default undefined
	*/
	readonly name?: string | undefined;

	/**
	Where results are kept, in place of the class's store.

	@default undefined
	*/
	readonly cache?: HttpCache | undefined;
};

export type AnyResultSettings = ResultSettings<any, any[], any>;

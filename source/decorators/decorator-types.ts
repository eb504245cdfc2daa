
import type {AnyFunction} from './function-twin.ts';

type Place = string | symbol;

/**
A decorator of methods, accessors and getters of functions, static and private ones included, in both dialects.
*/
export type FunctionDecorator = {
	/** The standard dialect: an accessor. */
	<This, Member extends AnyFunction>(target: ClassAccessorDecoratorTarget<This, Member>, context: ClassAccessorDecoratorContext<This, Member>): any;

	/** The standard dialect: a getter. */
	<This, Member extends AnyFunction>(target: (this: This) => Member, context: ClassGetterDecoratorContext<This, Member>): any;

	/** TypeScript's `experimentalDecorators`. */
	<Member extends AnyFunction>(target: object, key: Place, descriptor: TypedPropertyDescriptor<Member>): any;

	/** The standard dialect: a method. */
	<This, Member extends (this: This, ...inputs: any) => any>(target: Member, context: ClassMethodDecoratorContext<This, Member>): any;
};

type Asynchronous<This, Inputs extends any[], Value> = (this: This, ...inputs: Inputs) => Promise<Value>;

/**
A decorator of functions that give a promise, in both dialects. One signature stands for all that it may be put on: only so does the compiler tell the settings what a method takes and gives. What is in `NoInfer` lets a method take more than its `keyFn` asks for, and getters and accessors in.
*/
export type ResultDecorator<This, Inputs extends any[], Value> = (
	target: This | Asynchronous<This, Inputs, Value> | NoInfer<Asynchronous<This, any, Value> | ((this: This) => Asynchronous<any, any, any>) | ClassAccessorDecoratorTarget<This, Asynchronous<any, any, any>>>,
	context: Place | ClassMethodDecoratorContext<This, Asynchronous<This, Inputs, Value>> | NoInfer<ClassMethodDecoratorContext<This, Asynchronous<This, any, Value>>> | ClassGetterDecoratorContext<This, Asynchronous<any, any, any>> | ClassAccessorDecoratorContext<This, Asynchronous<any, any, any>>,
	descriptor?: TypedPropertyDescriptor<(...inputs: Inputs) => Promise<Value>> | NoInfer<TypedPropertyDescriptor<(...inputs: any) => Promise<Value>>>,
) => any;

type Called<This, Inputs extends any[]> = (this: This, ...inputs: Inputs) => any;

/**
A decorator of methods whose settings may be a function of what the method is called with.
*/
export type CallDecorator<This, Inputs extends any[]> = (
	target: This | Called<This, Inputs> | NoInfer<Called<This, any>>,
	context: Place | ClassMethodDecoratorContext<This, Called<This, Inputs>> | NoInfer<ClassMethodDecoratorContext<This, Called<This, any>>>,
	descriptor?: TypedPropertyDescriptor<(...inputs: Inputs) => any> | NoInfer<TypedPropertyDescriptor<(...inputs: any) => any>>,
) => any;

/** A decorator of classes, in both dialects. */
export type ClassDecorator = <Class extends abstract new (...inputs: any[]) => any>(target: Class, context?: ClassDecoratorContext<Class>) => void;

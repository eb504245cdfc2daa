/**
Lets `util.inspect`, and with it `console.log`, show the objects of a class of this library by their `toString()`.

A method `[inspect.custom]` of the class would do the same, but `isolatedDeclarations` takes no computed name.
*/
export function showAsText({prototype}: {readonly prototype: {readonly toString: () => string}}): void {
	const show = function (this: {readonly toString: () => string}): string {
		return this.toString();
	};

	Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {value: show, writable: true, configurable: true});
}

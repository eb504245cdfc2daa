/** Lets `util.inspect`, and with it `console.log`, show the objects of a class by their `toString()`. */
export function showAsText({prototype}: {readonly prototype: {readonly toString: () => string}}): void {
	const show = function (this: {readonly toString: () => string}): string {
		return this.toString();
	};

	Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {value: show, writable: true, configurable: true});
}

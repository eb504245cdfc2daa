/** Lets `util.inspect`, and with it `console.log`, show objects of a class by their `toString()`. */
export function showAsText(prototype: object): void {
	Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {value: text, writable: true, configurable: true});
}

function text(this: object): string {
	return String(this);
}

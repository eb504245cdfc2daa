/*
Uses classes as frameworks with dependency containers do: with instances and proxies that the container creates, and other decorators that define and read metadata.
*/
import test from 'ava';
import {
	Cached,
	CacheConfig,
	Invalidates,
	Refresh,
} from '../../../source/index.ts';

const dialect = import.meta.url.split('/').at(-2)!;
const reflect = Reflect as unknown as {
	readonly defineMetadata?: (key: string, value: unknown, target: object, property?: string) => void;
	readonly getMetadata?: (key: string, target: object, property?: string) => unknown;
};

const isStandard = (context: unknown): boolean => typeof context === 'object' && context !== null && 'kind' in context;

/** Defines metadata on the function itself, like `SetMetadata` of NestJS. */
// eslint-disable-next-line @typescript-eslint/naming-convention -- A decorator.
const Mark = (key: string): any => (target: any, context: unknown, descriptor?: PropertyDescriptor) => {
	const marked = (isStandard(context) ? target : descriptor!.value) as {marks?: string[]};
	marked.marks = [...marked.marks ?? [], key];
	reflect.defineMetadata?.(key, true, marked);
	return isStandard(context) ? undefined : descriptor;
};

const traced: string[] = [];

/** Replaces a method with a wrapper, like tracers do. */
// eslint-disable-next-line @typescript-eslint/naming-convention -- A decorator.
const Traced = (): any => (target: any, context: any, descriptor?: PropertyDescriptor) => {
	const original = (isStandard(context) ? target : descriptor!.value) as (...inputs: unknown[]) => unknown;
	const twin = function (this: unknown, ...inputs: unknown[]): unknown {
		traced.push(original.name);
		return Reflect.apply(original, this, inputs);
	};

	return isStandard(context) ? twin : {...descriptor, value: twin};
};

// eslint-disable-next-line @typescript-eslint/naming-convention -- A decorator.
const Injectable = (): any => (target: object) => {
	reflect.defineMetadata?.('injectable', true, target);
};

class Sdk {
	calls = 0;
}

@Injectable()
@CacheConfig({store: 'memory', staleIfError: true})
@Injectable()
class Service {
	readonly sdk: Sdk;

	constructor(sdk: Sdk) {
		this.sdk = sdk;
	}

	@Mark('above')
	@Traced()
	@Cached('1h', {result: true})
	@Traced()
	@Mark('below')
	async traced(name: string): Promise<string> {
		this.sdk.calls++;
		return `${name} ${this.sdk.calls}`;
	}

	@Mark('above')
	@Refresh()
	@Cached('1h', {staleWhileRevalidate: '1d'})
	@Mark('below')
	async marked(name: string): Promise<string> {
		return name;
	}

	@Invalidates({tags: ['all']})
	async change(): Promise<void> {
		traced.length = 0;
	}
}

/** A dependency container: creates one instance of each class with its dependencies, and returns a proxy of it. */
class Container {
	readonly #instances = new Map<unknown, object>();

	get<Instance extends object>(type: new (...inputs: any[]) => Instance, ...needed: Array<new () => object>): Instance {
		const known = this.#instances.get(type) ?? new Proxy(Reflect.construct(type, needed.map(one => this.get(one))), {});
		this.#instances.set(type, known);
		return known as Instance;
	}
}

test(`${dialect}: other decorators, and instances and proxies of a dependency container, work`, async t => {
	const service = new Container().get(Service, Sdk);
	await service.change();
	t.deepEqual([await service.traced('a'), await service.traced('a')], ['a 1', 'a 1']);
	t.deepEqual(traced, ['twin', 'traced', 'twin']);
	t.is(service.sdk.calls, 1);

	const other = new Container().get(Service, Sdk);
	t.is(await other.traced('a'), 'a 1');
	t.is(other.sdk.calls, 0);

	t.is(await service.marked('a'), 'a');
	t.deepEqual((service.marked as unknown as {marks: string[]}).marks, ['below', 'above']);
	t.is(service.marked.name, 'marked');
});

test(`${dialect}: with reflect-metadata, settings are defined under documented keys, and other metadata is kept`, t => {
	const {getMetadata} = reflect;
	t.is(getMetadata === undefined, reflect.defineMetadata === undefined);
	if (getMetadata === undefined) {
		return;
	}

	const service = new Service(new Sdk());
	t.deepEqual(getMetadata('got-cache-hooks:settings', Service), {store: 'memory', staleIfError: true});
	t.deepEqual(getMetadata('got-cache-hooks:settings', Service.prototype, 'marked'), {expireAfter: '1h', staleWhileRevalidate: '1d', refresh: true});
	t.deepEqual(getMetadata('got-cache-hooks:settings', service.marked), {expireAfter: '1h', staleWhileRevalidate: '1d', refresh: true});
	t.deepEqual(getMetadata('got-cache-hooks:invalidates', Service.prototype, 'change'), {tags: ['all']});
	t.true(getMetadata('above', service.marked));
	t.true(getMetadata('below', service.marked));
	t.true(getMetadata('injectable', Service));
	t.deepEqual(getMetadata('design:paramtypes', Service), dialect === 'legacy' ? [Sdk] : undefined);
});

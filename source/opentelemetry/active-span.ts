import {
	SpanKind,
	trace,
	type Attributes,
	type Span,
} from '@opentelemetry/api';
import {ATTR_HTTP_REQUEST_METHOD} from '@opentelemetry/semantic-conventions';

/** What the spans of the SDK show of themselves. */
type ReadableSpan = {readonly kind?: SpanKind; readonly attributes?: Attributes};

/** Sets attributes on the spans in which requests are made. A span with several requests has the attributes of the last answer, and the number of answers of each result. */
export class ActiveSpans {
	/** How often each result has occurred in a span. */
	readonly #counts = new WeakMap<Span, Map<string, number>>();

	/** The spans that have the attributes of HTTP by us. */
	readonly #described = new WeakSet<Span>();

	/**
	Describes an answer on the active span, unless there is none, or it is not recorded or has ended.

	@param http - The attributes of the semantic conventions for HTTP clients, if it is the answer to a request.
	*/
	describe(result: string, own: Attributes, http: Attributes | undefined): void {
		const span = trace.getActiveSpan();
		if (span?.isRecording() !== true) {
			return;
		}

		span.setAttributes(own);
		span.setAttribute(`got_cache_hooks.${result}.count`, this.#count(span, result));
		if (http === undefined || !this.#mayDescribeHttp(span)) {
			return;
		}

		this.#described.add(span);
		span.setAttributes(http);
	}

	#count(span: Span, result: string): number {
		const counts = this.#counts.get(span) ?? new Map<string, number>();
		const count = (counts.get(result) ?? 0) + 1;
		this.#counts.set(span, counts.set(result, count));
		return count;
	}

	/** Whether the attributes of HTTP on a span would be those of this request: on the span of a server, they are those of the request that the server answers; and a span that has them already is described by its owner. */
	#mayDescribeHttp(span: Span): boolean {
		const {kind, attributes} = span as ReadableSpan;
		const isOfClient = kind === SpanKind.INTERNAL || kind === SpanKind.CLIENT;
		return this.#described.has(span) || (isOfClient && attributes !== undefined && attributes[ATTR_HTTP_REQUEST_METHOD] === undefined);
	}
}

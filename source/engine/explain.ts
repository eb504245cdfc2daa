import type {HttpCache, Match, NoMatch} from '../cache/http-cache.ts';
import type {Reason} from '../policy/reasons.ts';
import {
	onLookup,
	onRefusedKey,
	onRequest,
	requestFacts,
} from '../policy/request-rules.ts';
import type {AskedRule} from '../policy/rule.ts';
import type {RequestDecision, RequestHead} from '../policy/types.ts';
import {keyOf} from './exchange-keys.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';
import {findStored, variantTags} from './find-stored.ts';

/**
What the cache would do with a request, and why.
*/
export type Explanation = {
	/** `'serve'` what is stored, `'send'` the request, let it `'pass'` without the cache, or `'fail'` with 504. */
	readonly decision: 'serve' | 'send' | 'pass' | 'fail';
	readonly reason: Reason;

	/** The source of the rule that decided: a section of an RFC, or a setting. */
	readonly section: string;

	/** Each rule that was asked, in order; the last one that held decided. */
	readonly rules: readonly AskedRule[];

	/** `undefined` where the request was none for the cache. */
	readonly key: string | undefined;

	/** What is stored for the request, if anything matches. */
	readonly stored: {readonly createdAt: Date; readonly expires: Date | undefined; readonly statusCode: number} | undefined;

	/** The validators that would be sent. */
	readonly validators: Readonly<Record<string, string>>;

	/** All of it in lines for people. */
	readonly text: string;
};

/**
A dry run by the very tables that decide: the store is read, nothing is sent or written.
*/
export async function explainRequest(request: OutgoingRequest, settings: ExchangeSettings, cache: HttpCache): Promise<Explanation> {
	const head: RequestHead = {
		method: request.method,
		override: request.override,
		url: request.url,
		fields: request.fields,
		keyable: request.body !== 'unknown',
	};
	const facts = requestFacts(head, settings);
	const rules: AskedRule[] = [];
	const first = onRequest(facts, rules);
	if (first.do === 'pass' || first.do === 'fail') {
		return describe({
			decision: first, rules, key: undefined, match: undefined,
		}, head);
	}

	const key = await keyOf(request, settings);
	if (key === undefined) {
		return describe({
			decision: onRefusedKey(facts, rules),
			rules,
			key,
			match: undefined,
		}, head);
	}

	if (first.do === 'send') {
		return describe({
			decision: first,
			rules,
			key,
			match: undefined,
		}, head);
	}

	const match = await findStored(key, request, settings, cache);
	return describe({
		decision: onLookup(facts, {stored: match.stored, tags: match.stored === undefined ? variantTags(match) : []}, settings.now(), rules),
		rules,
		key,
		match,
	}, head);
}

type Findings = {
	readonly decision: RequestDecision;
	readonly rules: readonly AskedRule[];
	readonly key: string | undefined;
	readonly match: Match | NoMatch | undefined;
};

function describe({decision, rules, key, match}: Findings, {method, url}: RequestHead): Explanation {
	const {reason, section} = rules.findLast(({held}) => held)!;
	const stored = match?.stored;
	const lines = [
		`${method} ${new URL(url).origin}${new URL(url).pathname}: ${decision.do}, because of \`${reason}\` (${section})`,
		stored === undefined
			? 'nothing that is stored matches'
			: `stored: ${stored.statusCode}, received ${new Date(stored.createdAt).toISOString()}, ${stored.expires === undefined ? 'never expires' : `fresh until ${new Date(stored.expires).toISOString()}`}`,
		...rules.map(rule => `${rule.held ? 'yes' : 'no '} ${rule.reason} (${rule.section})`),
	];
	return {
		decision: decision.do as Explanation['decision'],
		reason,
		section,
		rules,
		key,
		stored: stored && {
			createdAt: new Date(stored.createdAt),
			expires: stored.expires === undefined ? undefined : new Date(stored.expires),
			statusCode: stored.statusCode,
		},
		validators: decision.do === 'send' ? decision.validators : {},
		text: lines.join('\n'),
	};
}

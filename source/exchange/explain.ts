import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/entries.ts';
import type {Explanation} from '../cache/explanation.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl} from '../identity/references.ts';
import type {AskedRule} from '../policy/facts.ts';
import {onLookup, onRefusedKey, onRequest} from '../policy/request-rules.ts';
import type {RequestDecision} from '../policy/types.ts';
import {factsOf, findStored} from './lookup.ts';
import type {ExchangeSettings} from './settings.ts';
import type {SentRequest} from './types.ts';

/**
A dry run by the very tables that decide: the store is read, nothing is sent or written.
*/
export async function explainRequest(request: SentRequest, settings: ExchangeSettings, cache: CacheCore): Promise<Explanation> {
	return describe(await findings(request, settings, cache), request.method, new URL(redactUrl(request.targetUrl, settings.ignoredParameters)));
}

async function findings(request: SentRequest, settings: ExchangeSettings, cache: CacheCore): Promise<Findings> {
	const identity = identify(request, settings);
	const facts = factsOf(request, identity, settings);
	const rules: AskedRule[] = [];
	const decision = onRequest(facts, rules);
	if (decision.do === 'pass' || decision.do === 'fail') {
		return {decision, rules};
	}

	const key = await identity.key(settings.secret);
	if (key === undefined) {
		return {decision: onRefusedKey(facts, rules), rules};
	}

	if (decision.do !== 'lookup') {
		return {decision, rules, key};
	}

	const match = await findStored(key, request, settings, cache);
	return {
		decision: onLookup(facts, {stored: match.stored}, settings.now(), rules),
		rules,
		key,
		match,
	};
}

type Findings = {
	readonly decision: RequestDecision;
	readonly rules: readonly AskedRule[];
	readonly key?: string;
	readonly match?: Match | NoMatch;
};

function describe({decision, rules, key, match}: Findings, method: string, {origin, pathname}: URL): Explanation {
	const {reason, section} = rules.findLast(({held}) => held)!;
	const stored = match?.stored;
	const lines = [
		`${method} ${origin}${pathname}: ${decision.do}, because of \`${reason}\` (${section})`,
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

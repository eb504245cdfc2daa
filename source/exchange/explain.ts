import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/entries.ts';
import type {Explanation} from '../cache/types.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl} from '../identity/references.ts';
import type {EvaluatedRule} from '../policy/facts.ts';
import {onLookup, onRefusedKey, onRequest} from '../policy/request-rules.ts';
import type {RequestDecision} from '../policy/types.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {factsOf, findStored} from './state.ts';
import type {ExchangeSettings} from './settings.ts';

/** Decides on a request by the same tables as an exchange. Reads the store; sends and writes nothing. */
export async function explainRequest(request: SentRequest, settings: ExchangeSettings, cache: CacheCore): Promise<Explanation> {
	const found = await findings(request, settings, cache);
	return describe({...found, circuit: cache.circuits}, request.method, redactUrl(request.targetUrl, settings.ignoredParameters));
}

async function findings(request: SentRequest, settings: ExchangeSettings, cache: CacheCore): Promise<Findings> {
	const identity = identify(request, settings);
	const facts = factsOf(request, identity, settings);
	const rules: EvaluatedRule[] = [];
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

	const match = await findStored(key, request, {...settings, readOnly: true}, cache);
	return {
		decision: onLookup(facts, {stored: match.stored}, settings.now(), rules),
		rules,
		key,
		match,
	};
}

type Findings = {
	readonly decision: RequestDecision;
	readonly rules: readonly EvaluatedRule[];
	readonly key?: string;
	readonly match?: Match | NoMatch;
};

function describe({decision, rules, key, match, circuit}: Findings & Pick<Explanation, 'circuit'>, method: string, url: string): Explanation {
	const {reason, section} = rules.findLast(({held}) => held)!;
	const stored = match?.stored;
	const lines = [
		`${method} ${url}: ${decision.do}, because of \`${reason}\` (${section})`,
		stored === undefined
			? 'no stored response matches'
			: `stored: ${stored.statusCode}, received ${new Date(stored.createdAt).toISOString()}, ${stored.expires === undefined ? 'never expires' : `fresh until ${new Date(stored.expires).toISOString()}`}`,
		...circuitLines(circuit),
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
		circuit,
		text: lines.join('\n'),
	};
}

function circuitLines({reads, writes}: Explanation['circuit']): readonly string[] {
	if (reads !== 'closed') {
		return [`the store is not used after faults: its circuit is ${reads}`];
	}

	return writes === 'closed' ? [] : [`the store is read but not written after faults: the circuit of its writes is ${writes}`];
}

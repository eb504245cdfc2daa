import {metrics, type Meter, type MetricOptions} from '@opentelemetry/api';
import test from 'ava';
import {own} from '../../source/opentelemetry/attributes.ts';
import {Instruments} from '../../source/opentelemetry/instruments.ts';
import {codeSpans, readPage, tableRows} from '../examples/pages.ts';

const page = readPage('docs/opentelemetry.md');

test('docs/opentelemetry.md has all instruments with their units', t => {
	const units: Record<string, string> = {};
	const meter = metrics.getMeter('test');
	const noting = (create: 'createCounter' | 'createHistogram') => (name: string, {unit}: MetricOptions = {}) => {
		units[name] = unit!;
		return meter[create](name);
	};

	new Instruments({createCounter: noting('createCounter'), createHistogram: noting('createHistogram')} as unknown as Meter); // eslint-disable-line no-new
	const rows = tableRows(page, '| instrument | unit | what it counts or measures | attributes |');
	t.deepEqual(Object.fromEntries(rows.map(([name, unit]) => [...codeSpans(name!), ...codeSpans(unit!)])), units);
});

test('docs/opentelemetry.md names all attributes of this library', t => {
	const ofSpans = tableRows(page, '| attribute of a span | value |').flatMap(([names]) => codeSpans(names!));
	const ofMetrics = tableRows(page, '| instrument | unit | what it counts or measures | attributes |').flatMap(row => codeSpans(row[3]!));
	const named = new Set([...ofSpans, ...ofMetrics.map(name => `got_cache_hooks.${name}`)]);
	t.deepEqual(Object.values(own).filter(name => !named.has(name)), []);
});

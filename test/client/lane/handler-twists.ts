import {setImmediate as turn} from 'node:timers/promises';
import type {
	ExtendOptions,
	Got,
	HandlerFunction,
	Options,
	RequestPromise,
} from 'got';
import {createCachedGot} from '../../../source/index.ts';
import type {Twist} from './option-twists.ts';
import type {Stage} from './play.ts';

type Next = (options: Options) => Promise<unknown> & Pick<RequestPromise, 'on' | 'json'>;

/** What a handler may do, and what it stands before or behind. */
const handlers: Readonly<Record<string, (stage: Stage) => (options: Options, next: Next) => unknown>> = {
	'that hands on': ({recorder}) => (options, next) => {
		recorder.note('handler');
		return next(options);
	},
	'that waits': ({recorder}) => async (options, next) => {
		recorder.note('handler');
		const value = await next(options);
		recorder.note('handled', typeof value);
		return value;
	},
	'that waits before': () => async (options, next) => {
		await turn();
		return next(options);
	},
	'that replaces the response': () => async (options, next) => {
		await next(options);
		return {mine: 'mine'};
	},
	'that reads': () => (options, next) => next(options).json(),
	'that listens': ({recorder}) => (options, next) => {
		const pending = next(options);
		void pending.on('downloadProgress', () => {
			recorder.note('handler hears');
		});
		return pending;
	},
	'that changes a header': () => (options, next) => {
		options.headers.mine = 'mine';
		return next(options);
	},
	'that answers': () => async () => 'mine',
	'that throws': () => () => {
		throw new Error('mine');
	},
	'that changes errors': () => async (options, next) => {
		try {
			return await next(options);
		} catch (error) {
			(error as Error).message += ' (mine)';
			throw error;
		}
	},
};

/** A stream is handed on as it is, which Got asks of handlers; and Got has no options where what was asked for is wrong. */
function forPromises(make: (stage: Stage) => (options: Options, next: Next) => unknown): (stage: Stage) => HandlerFunction {
	return stage => {
		const handle = make(stage);
		return (options: Options | undefined, next) => (options?.isStream === true ? next(options) : handle(options!, next as unknown as Next)) as never;
	};
}

function composed(title: string, change: (client: Got, stage: Stage, cacheAgain: () => ExtendOptions) => Got): Twist {
	return {
		title,
		apply({after}) {
			after.push(change);
		},
	};
}

export const handlerTwists: readonly Twist[] = [
	...Object.entries(handlers).map(([title, make]) => [title, forPromises(make)] as const).flatMap(([title, make]): Twist[] => [
		{
			title: `a handler in front ${title}`,
			apply({before}) {
				before.push(stage => ({handlers: [make(stage)]}));
			},
		},
		composed(`a handler behind ${title}`, (client, stage) => client.extend({handlers: [make(stage)]})),
		composed(`an instance in front with a handler ${title}`, (client, stage) => stage.instance.extend({handlers: [make(stage)]}).extend(client)),
		composed(`a handler behind in one go ${title}`, (client, stage) => stage.instance.extend(client, {handlers: [make(stage)]})),
		composed(`an instance behind with a handler ${title}`, (client, stage) => client.extend(stage.instance.extend({handlers: [make(stage)]}))),
		composed(`an instance behind in one go ${title}`, (client, stage) => stage.instance.extend(client, stage.instance.extend({handlers: [make(stage)], headers: {mine: 'mine'}}))),
	]),
	composed('extended by an instance', (client, {instance}) => client.extend(instance.extend({headers: {mine: 'mine'}}))),
	composed('an instance extended by the client', (client, {instance}) => instance.extend(client)),
	composed('an instance extended by the client, and more', (client, {instance}) => instance.extend(client, {headers: {mine: 'mine'}})),
	composed('extended by itself', client => client.extend(client)),
	composed('extended by nothing', client => client.extend()),
	composed('extended many times', client => client.extend({}).extend({headers: {a: '1'}}).extend({context: {b: 2}})),
	composed('extended by another cache', (client, _stage, cacheAgain) => client.extend(cacheAgain())),
	composed('extended by an instance with another cache', (client, {instance}, cacheAgain) => client.extend(instance.extend(cacheAgain()))),
	composed('with defaults that may change', client => client.extend({mutableDefaults: true})),
	composed('with defaults that change', client => {
		const mutable = client.extend({mutableDefaults: true});
		mutable.defaults.options.headers.mine = 'mine';
		return mutable;
	}),
	composed('with handlers that are added', (client, {recorder}) => {
		const mutable = client.extend({mutableDefaults: true});
		mutable.defaults.handlers.push((options, next) => {
			recorder.note('added');
			return next(options);
		});
		return mutable;
	}),
	{
		title: 'settings beside Got\'s options',
		apply(draft) {
			draft.cache = (instance, given) => createCachedGot(given, instance) as unknown as Got;
			draft.options.push({expireAfter: '2m'} as never);
		},
	},
	{
		title: 'a client of its own',
		apply(draft) {
			draft.cache = (instance, given) => createCachedGot(given, instance) as unknown as Got;
		},
	},
];

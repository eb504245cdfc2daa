import {AsyncLocalStorage} from 'node:async_hooks';
import {longestTimer} from '../maybe-promise.ts';
import type {Match} from '../cache/variants.ts';
import type {Fields} from '../policy/fields.ts';
import {nominatedFields, nominatedValues} from '../policy/vary.ts';
import type {Patience} from './patience.ts';

/** How a wait ends: with what the other request got, with being the next to ask, or with asking beside the others. */
export type Landing =
	| {readonly do: 'reuse'; readonly match: Match}
	| {readonly do: 'lead'; readonly flight: Flight}
	| {readonly do: 'alone'};

/** Who waits for a flight; from one that fails, or varies, it goes over to another. */
export class Follower {
	readonly request: Fields;
	flight: Flight | undefined;
	readonly #patience: Patience;
	readonly #settle: (landing: Landing) => void;

	/** Since when it has waited for what does not count against its patience; `undefined` after a failure. */
	#since: number | undefined = performance.now();
	#timer: NodeJS.Timeout | undefined;

	constructor(request: Fields, patience: Patience, settle: (landing: Landing) => void) {
		this.request = request;
		this.#patience = patience;
		this.#settle = settle;
		this.#leaveAfter(patience.leftInAll);
	}

	/** Whether it waits again since a flight has failed it. */
	get isFailed(): boolean {
		return this.#since === undefined;
	}

	/**
	A flight has failed it, so that the time for which it waits on is its own.

	@param share - Of that time, after which it asks beside the others.
	*/
	fail(share: number): void {
		this.#excuse();
		this.#leaveAfter(share * this.#patience.left);
	}

	settle(landing: Landing): void {
		this.#excuse();
		this.leave();
		this.#settle(landing);
	}

	leave(): void {
		clearTimeout(this.#timer);
		this.flight?.leave(this);
		this.flight = undefined;
	}

	#excuse(): void {
		if (this.#since === undefined) {
			return;
		}

		this.#patience.excuse(this.#since);
		this.#since = undefined;
	}

	#leaveAfter(milliseconds: number): void {
		clearTimeout(this.#timer);
		if (milliseconds > longestTimer) {
			return;
		}

		this.#timer = setTimeout(() => {
			this.settle({do: 'alone'});
		}, Math.max(0, milliseconds));
	}
}

/** All have what it got, nobody else may have it, or it got nothing. */
export type Outcome = 'landed' | 'passed' | 'failed';

/** What a flight tells of itself. */
export type Tower = {
	/** Milliseconds that followers wait for the response to begin, and for more of its body. */
	readonly patience: {readonly head: number; readonly body: number};
	readonly onNames: (names: readonly string[]) => void;

	/** It is over. Unless it has landed, the followers are the tower's from then on. */
	readonly onEnd: (flight: Flight, outcome: Outcome, followers: readonly Follower[]) => void;

	/** The response is none for these. */
	readonly reroute: (followers: readonly Follower[]) => void;
};

/** Flights of which the code that runs is a part: by a hook, by the user's request function, by who reads the response. */
type Context = {readonly flight: Flight; readonly outer: Context | undefined};

const contexts = new AsyncLocalStorage<Context>();

/**
Whether the code that runs is part of a flight: perhaps that flight waits for it, so that it must not wait for any.
*/
export function isAboard(): boolean {
	let context = contexts.getStore();
	while (context?.flight.isOver === true) {
		context = context.outer;
	}

	return context !== undefined;
}

/**
A request on its way, and those who wait for what it gets.
*/
export class Flight {
	readonly #request: Fields;
	readonly #tower: Tower;
	readonly #followers = new Set<Follower>();
	#names: readonly string[] | undefined;
	#patience: number;
	#lastNews = performance.now();
	#timer: NodeJS.Timeout | undefined;
	#isOver = false;

	/** Whether its response may be of before something that has happened since: then it is for those alone who wait already. */
	isOutdated: (() => boolean) | undefined;

	/** Told how it ended. */
	onOver: ((outcome: Outcome) => void) | undefined;

	/**
	Waits for nothing yet.

	@param names - What the response is thought to vary by.
	*/
	constructor(request: Fields, names: readonly string[] | undefined, tower: Tower) {
		this.#request = request;
		this.#names = names;
		this.#tower = tower;
		this.#patience = tower.patience.head;
	}

	get isOver(): boolean {
		return this.#isOver;
	}

	/** Whether anybody waits for it. */
	get isAwaited(): boolean {
		return this.#followers.size > 0;
	}

	/** Whether its response may answer the request, as far as is known. */
	suits(request: Fields): boolean {
		const names = this.#names ?? [];
		const values = nominatedValues(names, request);
		return nominatedValues(names, this.#request).every((value, index) => value === values[index]);
	}

	admit(follower: Follower): void {
		follower.flight = this;
		this.#followers.add(follower);
		this.#timer ??= this.#watch(this.#patience);
	}

	leave(follower: Follower): void {
		this.#followers.delete(follower);
	}

	/** Runs what sends the request. */
	run<Result>(action: () => Result): Result {
		return contexts.run({flight: this, outer: contexts.getStore()}, action);
	}

	/** The response has begun, and may be stored. */
	begin(response: Fields): void {
		if (this.#isOver) {
			return;
		}

		const names = nominatedFields(response);
		if (names === '*') {
			this.pass();
			return;
		}

		this.progress();
		this.#patience = this.#tower.patience.body;
		this.#names = names;
		this.#tower.onNames(names);
		const others = [...this.#followers].filter(({request}) => !this.suits(request));
		for (const other of others) {
			this.#followers.delete(other);
		}

		this.#tower.reroute(others);
	}

	/** There is more of it. */
	progress(): void {
		this.#lastNews = performance.now();
	}

	/** All who wait have it, but for those whose variant is another: a validation tells only now which it is. */
	land(match: Match): void {
		this.begin(match.stored.fields);
		for (const follower of this.#end('landed')) {
			follower.settle({do: 'reuse', match});
		}
	}

	/** Nobody else may have what it got. */
	pass(): void {
		this.#end('passed');
	}

	/** It got nothing; another may. */
	fail(): void {
		this.#end('failed');
	}

	#end(outcome: Outcome): readonly Follower[] {
		if (this.#isOver) {
			return [];
		}

		this.#isOver = true;
		clearTimeout(this.#timer);
		const followers = [...this.#followers];
		this.#followers.clear();
		this.#tower.onEnd(this, outcome, followers);
		this.onOver?.(outcome);
		return followers;
	}

	#watch(milliseconds: number): NodeJS.Timeout {
		return setTimeout(() => {
			const left = this.#lastNews + this.#patience - performance.now();
			if (left <= 0) {
				this.fail();
			} else {
				this.#timer = this.#watch(left);
			}
		}, milliseconds).unref();
	}
}

import process from 'node:process';
import {isDeepStrictEqual} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import type {Got} from 'got';
import {Random} from '../../chaos/random.ts';
import {majors} from '../../helpers/clients.ts';
import {cacheTwists} from './cache-twists.ts';
import {handlerTwists} from './handler-twists.ts';
import {optionTwists, paths, type Twist} from './option-twists.ts';
import {
	draft,
	openVenue,
	play,
	type Venue,
	type Way,
} from './play.ts';
import {plainly, ways} from './ways.ts';

/*
Each case is played through a client with the fast lane and through one without: what a caller sees, what the cache tells, and what the origin is asked must be the same.

Not compared: the listeners that Got leaves on a response, and what begins with an underscore.
*/

const largest = 2_147_483_647;
const seed = process.env.LANE_SEED === undefined ? (Date.now() % largest) + 1 : Number(process.env.LANE_SEED);
const total = Number(process.env.LANE_CASES ?? 300);
const twists = [...paths, ...optionTwists, ...cacheTwists, ...handlerTwists];

type Case = {
	readonly way: Way;
	readonly twists: readonly Twist[];
};

/** One way with up to four things that are otherwise: most of them alone leave the lane open, many together do not. */
function drawCase(random: Random): Case {
	const count = random.below(3) + (random.happens(0.2) ? 2 : 0);
	const path = random.happens(0.3) ? [pick(paths, random)] : [];
	return {way: pick(ways, random), twists: [...path, ...Array.from({length: count}, () => pick(twists, random))]};
}

function pick<Item>(items: readonly Item[], random: Random): Item {
	return items[random.below(items.length)]!;
}

async function playCase({way, twists: applied}: Case, instance: Got, fastLane: boolean, venue: Venue): ReturnType<typeof play> {
	const played = draft(way);
	for (const twist of applied) {
		twist.apply(played);
	}

	return play(played, instance, fastLane, venue);
}

/**
Plays a case both ways.

@returns How many of its requests the lane answered.
*/
async function compare(t: ExecutionContext, drawn: Case, instance: Got, venue: Venue): Promise<number> {
	const fast = await playCase(drawn, instance, true, venue);
	const ordinary = await playCase(drawn, instance, false, venue);
	t.is(ordinary.fast, 0, 'Without the lane, each hit is a request of Got\'s');
	const at = fast.notes.findIndex((note, index) => !isDeepStrictEqual(note, ordinary.notes[index]));
	if (at !== -1 || fast.notes.length !== ordinary.notes.length) {
		const title = [drawn.way, ...drawn.twists].map(part => part.title).join('; ');
		// The first that differs says more than all of them.
		t.deepEqual(fast.notes.slice(at).slice(0, 1), ordinary.notes.slice(at).slice(0, 1), title);
		t.fail(`${title}: one tells more than the other`);
	}

	return fast.fast;
}

// What makes a copy's requests is learned from the first.
test.before(async () => {
	await using venue = await openVenue();
	for (const [, instance] of majors) {
		await play(draft(plainly), instance, true, venue);
	}
});

for (const [name, instance] of majors) {
	for (const way of ways) {
		test.serial(`${name}, with the lane as without: ${way.title}`, async t => {
			await using venue = await openVenue();
			await compare(t, {way, twists: []}, instance, venue);
		});
	}

	test.serial(`${name}, with the lane as without: each thing that may be otherwise, alone`, async t => {
		t.timeout(120_000);
		await using venue = await openVenue();
		let fast = 0;
		for (const twist of twists) {
			fast += await compare(t, {way: plainly, twists: [twist]}, instance, venue) > 0 ? 1 : 0;
		}

		t.log(`${twists.length} cases, ${fast} of them on the lane`);
		t.true(fast > twists.length / 4, 'The lane is taken often enough to be compared');
	});

	test.serial(`${name}, with the lane as without: ${total} cases that are drawn`, async t => {
		t.timeout(3_600_000);
		t.log(`LANE_SEED=${seed}`);
		await using venue = await openVenue();
		const random = new Random(seed);
		let fast = 0;
		for (let index = 0; index < total; index++) {
			fast += await compare(t, drawCase(random), instance, venue) > 0 ? 1 : 0;
		}

		t.log(`${total} cases, ${fast} of them on the lane`);
		t.true(fast > total / 8, 'The lane is taken often enough to be compared');
	});
}

/**
One order of names with which as many of the lists as can be agree: a name comes after all that stand before it somewhere.
*/
export function commonOrder(lists: ReadonlyArray<readonly string[]>): string[] {
	const followers = followersOf(lists);
	const waitsFor = new Map<string, number>();
	for (const following of followers.values()) {
		for (const name of following) {
			waitsFor.set(name, (waitsFor.get(name) ?? 0) + 1);
		}
	}

	const order = new Set<string>();
	const place = (first: string): void => {
		const ready = [first];
		for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
			order.add(name);
			const freed = [...followers.get(name)!].filter(next => countDown(waitsFor, next) && !order.has(next));
			ready.push(...freed.toReversed());
		}
	};

	for (const name of followers.keys()) {
		if (!waitsFor.has(name)) {
			place(name);
		}
	}

	// What is left waits in a circle: two lists contradict each other.
	for (const name of followers.keys()) {
		if (!order.has(name)) {
			place(name);
		}
	}

	return [...order];
}

/** The names that stand right behind each. */
function followersOf(lists: ReadonlyArray<readonly string[]>): Map<string, Set<string>> {
	const followers = new Map<string, Set<string>>();
	for (const [name, next] of lists.flatMap(list => list.map((first, index) => [first, list[index + 1]] as const))) {
		const following = followers.get(name) ?? new Set();
		followers.set(name, following);
		if (next !== undefined) {
			following.add(next);
		}
	}

	return followers;
}

/** Whether it waits for nothing any more. */
function countDown(waitsFor: Map<string, number>, name: string): boolean {
	const left = waitsFor.get(name)! - 1;
	waitsFor.set(name, left);
	return left === 0;
}

/** Whether the names stand in the order of their positions. */
export function agrees(names: readonly string[], positions: ReadonlyMap<string, number>): boolean {
	return names.every((name, index) => index === 0 || positions.get(names[index - 1]!)! < positions.get(name)!);
}

/** A name that is an array index: objects list those first and by number, however they were put. */
export function isIndex(name: string): boolean {
	return /^(?:0|[1-9]\d{0,9})$/v.test(name) && Number(name) < 4_294_967_295;
}

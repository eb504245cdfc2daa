import {Buffer} from 'node:buffer';
import process from 'node:process';
import {open} from './open-elsewhere.ts';

/** Started by the tests, and killed by them at any moment: writes values that say of themselves whether they are whole. */
const [store, options] = process.argv.slice(2) as [string, string];
const writer = open('n1', store, options);
process.send!('ready');
for (let round = 0; ; round++) {
	for (let index = 0; index < 20; index++) {
		const size = index === 0 ? 1_500_000 : 20_000;
		await writer.set(`key-${index}`, Buffer.alloc(size, round % 256), {expires: undefined});
	}
}

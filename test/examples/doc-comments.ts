import fs from 'node:fs';
import path from 'node:path';
import {root} from './pages.ts';

/** An example of a doc comment: what it is of, and its code. */
export type Example = {readonly of: string; readonly code: string};

function* sourceFiles(): Generator<string> {
	for (const name of fs.readdirSync(path.join(root, 'source'), {recursive: true, encoding: 'utf8'}).toSorted()) {
		if (name.endsWith('.ts') && !name.endsWith('.d.ts')) {
			yield name;
		}
	}
}

/** The examples of all doc comments in `source/`. Each says in front of what declaration it stands. */
export function docExamples(): readonly Example[] {
	return sourceFiles().flatMap(file => {
		const source = fs.readFileSync(path.join(root, 'source', file), 'utf8');
		const comments = source.matchAll(/^(?<indent>\t*)\/\*\*\n(?<text>(?:(?!\*\/)[\s\S])*)\*\/\n(?:\t*\/\/.*\n)*\t*(?<declaration>.+)$/gmv);
		return comments.flatMap(({groups}) => {
			const {indent, text, declaration} = groups!;
			const name = /^(?:export |readonly |async |static |declare |abstract |override )*(?:(?:class|function|const|type|get|set)\b[ *]*)?(?:\* )?(?<name>[\w$]+)/v.exec(declaration!)?.groups!.name ?? declaration;
			const lines = text!.split('\n').map(line => line.startsWith(indent!) ? line.slice(indent!.length) : line).join('\n');
			return lines.matchAll(/^@example\n```(?:ts)?\n(?<code>.*?)^```$/gmsv).map(example => ({of: `${name} (source/${file})`, code: example.groups!.code!}));
		}).toArray();
	}).toArray();
}

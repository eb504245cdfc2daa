import type {Need, Subject} from '../types.ts';
import {gotSubjects} from './got.ts';
import {memorySubjects} from './memory.ts';
import {ourSubjects} from './ours.ts';
import {peerSubjects} from './peers.ts';
import {startSubjects} from './start.ts';
import {storeSubjects} from './stores.ts';

export const subjects: Readonly<Record<string, Subject>> = {
	...gotSubjects, ...ourSubjects, ...peerSubjects, ...storeSubjects, ...memorySubjects, ...startSubjects,
};

/** Those that `worker.py` knows. */
export const pythonSubjects: readonly string[] = ['requests-cache, memory', 'requests-cache, SQLite'];

/** What a subject needs beside npm's packages. */
export const needs: Readonly<Record<string, Need>> = {
	...Object.fromEntries(['ours, Redis', 'ours, Redis, miss', 'canned Got after a GET by the driver of Redis', 'Redis, GET by its driver', 'our Redis store, get'].map(name => [name, 'redis-server' as const])),
	...Object.fromEntries(pythonSubjects.map(name => [name, 'requests-cache' as const])),
};

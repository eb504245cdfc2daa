import type {Subject} from '../types.ts';
import {gotSubjects} from './got.ts';
import {ourSubjects} from './ours.ts';
import {peerSubjects} from './peers.ts';

export const subjects: Readonly<Record<string, Subject>> = {...gotSubjects, ...ourSubjects, ...peerSubjects};

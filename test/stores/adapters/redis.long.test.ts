import test from 'ava';
import {testAdapter} from './test-adapter.ts';

await testAdapter(test, '@keyv/redis');

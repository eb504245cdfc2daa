import path from 'node:path';
import test from 'ava';
import {createStore} from '../../source/index.ts';
import {snapshot} from '../helpers/cli.ts';
import {testCommands} from './commands.ts';

testCommands(test, 'filesystem', async (_t, folder) => ({
	store: 'cache',
	settings: {store: createStore('filesystem', {path: path.join(folder, 'cache')}), autoclose: true},
	snapshot: async () => snapshot(path.join(folder, 'cache')),
}));

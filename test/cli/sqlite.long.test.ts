import test from 'ava';
import {snapshot} from '../helpers/cli.ts';
import {testCommands} from './commands.ts';

testCommands(test, 'sqlite', async (_t, folder) => ({
	store: 'http cache.sqlite',
	settings: {store: `sqlite:${folder}/http cache.sqlite`},
	snapshot: async () => snapshot(folder),
}));

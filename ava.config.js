import {createRequire} from 'node:module';

// AVA's TAP reporter ends the whole run at a failed test whose error has a member that YAML has no word for, such as `undefined` (errors of MongoDB have some): here such a member is left out.
const yaml = createRequire(import.meta.resolve('supertap'))('js-yaml');
const {safeDump} = yaml;
yaml.safeDump = value => safeDump(value, {skipInvalid: true});

export default {
	files: ['test/**/*.test.ts'],
	extensions: {ts: 'module'},
	// For a file that hangs, and never for one that a busy machine makes slow.
	timeout: '5m',
	workerThreads: false,
};

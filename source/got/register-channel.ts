import diagnosticsChannel, {type Channel} from 'node:diagnostics_channel';

/** A request of an instance with a cache of its own. */
export type OwnCacheMessage = {readonly options: {readonly url: URL | string | undefined}};

/**
Reports to the register which requests have a cache of their own. It has a subscriber where the process was started with the register.

VM contexts have global objects of their own, and with them copies of this library that do not find the registry, but they share the modules of Node.js.
*/
export const ownCacheChannel: Channel = diagnosticsChannel.channel('got-cache-hooks:own-cache');

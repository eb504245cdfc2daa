import type {BeforeRequestHook, Got} from 'got';
import type {CacheSettings} from '../../settings/settings.ts';
import {cacheHooks, clientOfHook} from '../cache-hooks.ts';
import type {CacheClient} from '../create-client.ts';
import {closeUnwatched, installation, type Installation} from './installation.ts';

export type Instance = Pick<Got, 'defaults'>;

const hooksOfInstallations = new WeakSet<BeforeRequestHook>();

/**
Gives one instance a cache whose hook can be taken out again.

@throws {TypeError} Where the hooks of the instance cannot be changed.
*/
export function installForInstance(settings: CacheSettings, instance: Instance): Installation {
	if (!instance.defaults.mutableDefaults) {
		throw new TypeError('Expected an instance with `mutableDefaults: true`, whose hooks can be changed; others take `instance.extend(cacheHooks(settings))`');
	}

	const {hooks} = cacheHooks(settings);
	const hook = hooks!.beforeRequest![0]!;
	hooksOfInstallations.add(hook);
	closeUnwatched(removeHook(instance));
	beforeRequest(instance).push(hook);
	return installation(clientOfHook(hook)!, async () => installedHook(instance) === hook ? uninstallFromInstance(instance) : undefined);
}

function beforeRequest({defaults}: Instance): BeforeRequestHook[] {
	return defaults.options.hooks.beforeRequest;
}

/** The hook of what is installed for an instance. */
export function installedHook(instance: Instance): BeforeRequestHook | undefined {
	return beforeRequest(instance).findLast(hook => hooksOfInstallations.has(hook));
}

export async function uninstallFromInstance(instance: Instance): Promise<void> {
	await removeHook(instance)?.cache.close();
}

function removeHook(instance: Instance): CacheClient | undefined {
	const hook = installedHook(instance);
	if (hook === undefined) {
		return undefined;
	}

	const hooks = beforeRequest(instance);
	hooks.splice(hooks.indexOf(hook), 1);
	return clientOfHook(hook);
}

import type {PolicySettings} from '../policy/types.ts';
import type {ResolvedSettings} from '../settings/settings.ts';

/** What the rules ask, for what no request's own settings are about. */
export function policySettings(settings: ResolvedSettings): PolicySettings {
	return {
		...settings,
		refresh: false,
		forceRefresh: false,
		requestExpireAfter: undefined,
	};
}

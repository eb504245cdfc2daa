import {list, type CredentialRow} from './credential-row.ts';

/** Whether a token, a key or a code is a credential is told by the word before it. In the plural they are numbers and names (`max_tokens`, `sort_keys`, `status_codes`), but for those that a row names. */
export const tokens: readonly CredentialRow[] = [
	{
		class: 'plain',
		ends: list('token'),
		directlyAfter: list(`
			page paging pagination next previous prev continuation continue resumption resume sync starting start end delta change cursor skip scroll offset list
			marker bookmark more forward backward sequence
			idempotency idempotent dedup dedupe deduplication creation lock
			eos bos pad unk sep cls mask stop special per first output completion tokenizer
		`),
		examples: list('page_token nextPageToken continuation_token resumptionToken syncToken starting_token IdempotencyToken CreationToken Lock-Token eos_token cost_per_token'),
		why: 'A position in a list, the number of an attempt, a lock (which lock discovery shows to others, RFC 4918), or a unit of text for a language model.',
	},
	{
		class: 'secret',
		ends: list('token tkn'),
		examples: list('token access_token refreshToken id_token X-Auth-Token PRIVATE-TOKEN X-Amz-Security-Token csrfmiddlewaretoken acme_token'),
		why: 'A token of an unknown kind is a credential more often than not.',
	},
	{
		class: 'secret',
		ends: list('tokens'),
		directlyAfter: list(`
			access auth authentication authorization refresh api id session bearer user oauth jwt security personal private device registration push csrf xsrf
			secret verification invite login service deploy
		`),
		examples: list('access_tokens apiTokens registration_tokens'),
		why: 'Several credentials at once.',
	},
];

export const keys: readonly CredentialRow[] = [
	{
		class: 'plain',
		ends: list('key keys'),
		directlyAfter: list(`
			partition primary foreign composite candidate compound unique natural business shard distribution join merge conflict
			sort range change order ordering group grouping row column index hash search lookup filter where
			cache surrogate variant object prefix start end next last previous evaluated pagination continuation cursor marker resumption
			idempotency idempotent dedup dedupe deduplication
			public pub site kms
			translation locale language label message template field property attribute setting feature flag experiment item entity record event issue project
			space board page document tag metric type name category incident state meta metadata
			dimension condition parameter header route match value json input output rate
			hot shift ctrl alt arrow short shortcut answer
		`),
		examples: list('partition_key sort_key cache_key Surrogate-Key ExclusiveStartKey public_key issueKey hotkey meta_key'),
		why: 'The name of a record, of a field or of a key on a keyboard, or a key that is public.',
	},
	{
		class: 'secret',
		ends: list('key keys'),
		after: list(`
			api apis sse rapid rapidapi auth authentication authorization oauth access secret private priv master root admin subscription license licence consumer
			signing signature hmac encryption decryption cipher wrapping unseal recovery session sess jwt otp totp mfa csrf xsrf shared preshared password pass
			webhook bearer sdk integration activation credential
		`),
		examples: list(`
			api_key apiKeys X-RapidAPI-Key Ocp-Apim-Subscription-Key access_key private_key X-License-Key oauth_consumer_key signing_key sesskey
			x-amz-server-side-encryption-customer-key
		`),
		why: 'A key to an interface, to an account or to encrypted data.',
	},
	{
		class: 'secret',
		ends: list('key'),
		directlyAfter: list('app application account service function functions client server user developer dev write ingest insert stream merchant team token'),
		examples: list('DD-APPLICATION-KEY app_key x-functions-key account_key serviceKey X-Insert-Key writeKey server_key'),
		why: 'Services hand out keys of this name to their users.',
	},
	{
		class: 'ambiguous',
		ends: list('key'),
		examples: list('key X-Mashape-Key acme_key environment_key'),
		why: 'It may be a key to an interface (Google Maps) or the key of a record.',
	},
];

export const codes: readonly CredentialRow[] = [
	{
		class: 'plain',
		ends: list('code'),
		directlyAfter: list(`
			country continent subdivision location zip postal post area region state province city county district station airport iata icao dial dialing calling
			status error err response result http exit return reason success failure fault warning severity version time
			bar short color colour currency language lang locale product item sku part model brand vendor supplier store site warehouse department course class
			category type event unit price plan offer
			promo promotion coupon discount campaign referral affiliate tracking tax bank branch swift bic sort mcc naics hs
			source en de trans uni geo morse byte op key char video audio
		`),
		examples: list('country_code zipcode postal_code status_code errorCode promo_code barcode currencyCode sourceCode keyCode'),
		why: 'It names a place, a state, a thing or an offer, and is public.',
	},
	{
		class: 'secret',
		ends: list('code'),
		directlyAfter: list(`
			auth authorization authentication oauth device user app recovery backup scratch emergency verification verify confirmation otp totp hotp mfa sms email
			login signin access security pass passcode unlock reset activation invite invitation oob token secret grant exchange magic
		`),
		examples: list('authorization_code device_code user_code recovery_code verificationCode otp_code sms_code oobCode security_code app_code'),
		why: 'Whoever has the code can sign in, recover an account or redeem an invitation.',
	},
	{
		class: 'secret',
		ends: list('codes'),
		directlyAfter: list('recovery backup scratch emergency otp mfa authorization device security pass'),
		examples: list('recovery_codes backupCodes'),
		why: 'Several credentials at once.',
	},
	{
		class: 'ambiguous',
		ends: list('code'),
		examples: list('code acme_code pin_code gift_code'),
		why: 'It is the authorization code of OAuth 2 (RFC 6749 §4.1.2), a voucher, or a code of some catalogue.',
	},
];

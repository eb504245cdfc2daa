/**
The class of a name.

- `secret`: The value is a credential. The cache key has a keyed digest of it, and it is redacted wherever it would be stored or shown.
- `ambiguous`: The value is a credential for some services and data for others. It is treated like a secret, unless `ignoredParameters` has the name.
- `plain`: The value is part of the cache key in clear, and is stored and shown.
*/
export type CredentialClass = 'secret' | 'ambiguous' | 'plain';

/**
A row of the table. It matches names by their last words. The first row that matches counts. `docs/credential-names.md` has the reason and examples of each row.
*/
export type CredentialRow = {
	readonly class: CredentialClass;

	/** The last word of the name, or the last words separated by spaces. */
	readonly ends: readonly string[];

	/** The word directly before must be one of these. Without this list, any word or none may be there. */
	readonly directlyAfter?: readonly string[];

	/** One of the words before must be one of these. */
	readonly after?: readonly string[];
};

/** Splits a text into words. */
const list = (words: string): readonly string[] => words.trim().split(/\s+/v);

/** Splits a text into phrases at the commas. */
const phrases = (text: string): readonly string[] => text.trim().split(/,\s+/v);

/**
The classes of names. The first row that matches the last words of a name counts. A name that no row matches is `plain`.
*/
export const credentialTable: readonly CredentialRow[] = [
	// Names of several words. They come first, since they are more specific than their last word.
	{
		class: 'plain',
		ends: phrases('allow credentials, accept signature, signature input, websocket key, web socket key, cmcd session, ms session token'),
	},
	{
		class: 'plain',
		ends: phrases('client request token, idempotency key, idempotent key'),
	},
	{
		class: 'secret',
		ends: phrases('session id, sess id, session uuid, session guid, connect sid, access key id, secret id, service role key, cf access client id'),
	},
	{
		class: 'secret',
		ends: phrases('id token hint, saml response, saml art, connection string, honeycomb team, jfrog art api, oidc data, app check, fb dtsg, request digest, one time code, factor code, ovh consumer, wskey'),
	},
	{
		class: 'ambiguous',
		ends: phrases(`
			signed url, signed uri, presigned url, presigned uri, sas url, sas uri, webhook url, webhook uri, magic link, init data, captcha response, recaptcha response,
			hcaptcha response, turnstile response, session response, cf clearance, client principal, pin number, resource keys, signed request, client token
		`),
	},

	// Words for credentials.
	{
		class: 'secret',
		ends: list('password passwords passwd passwds passwrd pwd pswd psw pw pword passphrase passphrases passcode passcodes'),
	},
	{
		class: 'secret',
		ends: list('secret secrets credential credentials cred creds'),
	},
	{
		class: 'secret',
		ends: list('authorization authorisation authentication auth authn authz bearer cookie cookies aspxauth'),
	},
	{
		class: 'secret',
		ends: list('jwt jwts jws jwe dpop macaroon macaroons assertion assertions samlresponse samlart wresult tgt castgc verifier'),
	},
	{
		class: 'secret',
		ends: list('signature signatures hmac hdnts hdnea hdntl'),
	},
	{
		class: 'secret',
		ends: list('otp totp hotp mfa psk cvv cvc mnemonic'),
	},
	{
		class: 'secret',
		ends: list('csrf xsrf antiforgery wpnonce crumb modhash'),
	},
	{
		class: 'secret',
		ends: list('nonce'),
		directlyAfter: list('wp'),
	},
	{
		class: 'secret',
		ends: list('word phrase answer'),
		directlyAfter: list('pass seed recovery secret security backup mnemonic'),
	},

	// Whether a token, a key or a code is a credential depends on the word before it. In the plural, these words are numbers or names (`max_tokens`, `sort_keys`, `status_codes`), except those in a row.
	{
		class: 'plain',
		ends: list('token'),
		directlyAfter: list(`
			page paging pagination next previous prev continuation continue resumption resume sync starting start end delta change cursor skip scroll offset list
			marker bookmark more forward backward sequence
			idempotency idempotent dedup dedupe deduplication creation lock
			eos bos pad unk sep cls mask stop special per first output completion tokenizer
		`),
	},
	{
		class: 'secret',
		ends: list('token tkn'),
	},
	{
		class: 'secret',
		ends: list('tokens'),
		directlyAfter: list(`
			access auth authentication authorization refresh api id session bearer user oauth jwt security personal private device registration push csrf xsrf
			secret verification invite login service deploy
		`),
	},

	// Keys.
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
	},
	{
		class: 'secret',
		ends: list('key keys'),
		after: list(`
			api apis sse rapid rapidapi auth authentication authorization oauth access secret private priv master root admin subscription license licence consumer
			signing signature hmac encryption decryption cipher wrapping unseal recovery session sess jwt otp totp mfa csrf xsrf shared preshared password pass
			webhook bearer sdk integration activation credential
		`),
	},
	{
		class: 'secret',
		ends: list('key'),
		directlyAfter: list('app application account service function functions client server user developer dev write ingest insert stream merchant team token'),
	},
	{
		class: 'ambiguous',
		ends: list('key'),
	},

	// Codes.
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
	},
	{
		class: 'secret',
		ends: list('code'),
		directlyAfter: list(`
			auth authorization authentication oauth device user app recovery backup scratch emergency verification verify confirmation otp totp hotp mfa sms email
			login signin access security pass passcode unlock reset activation invite invitation oob token secret grant exchange magic
		`),
	},
	{
		class: 'secret',
		ends: list('codes'),
		directlyAfter: list('recovery backup scratch emergency otp mfa authorization device security pass'),
	},
	{
		class: 'ambiguous',
		ends: list('code'),
	},

	// Abbreviations and other short words.
	{
		class: 'secret',
		ends: list('session sess'),
		directlyAfter: list('user auth login authentication sso admin'),
	},
	{
		class: 'ambiguous',
		ends: list('session sess'),
	},
	{
		class: 'plain',
		ends: list('sign'),
		directlyAfter: list('star zodiac road traffic street dollar plus minus'),
	},
	{
		class: 'secret',
		ends: list('sig sign'),
		directlyAfter: list('api auth oauth hmac request webhook app access secret token url'),
	},
	{
		class: 'secret',
		ends: list('pass pin'),
		directlyAfter: list(`
			user db database login admin root smtp imap ftp mail email proxy http basic auth old new current confirm my account ldap ssh wifi card debit credit
			security
		`),
	},
	{
		class: 'secret',
		ends: list('ticket'),
		directlyAfter: list('auth login service granting session csrf sso kerberos proxy'),
	},
	{
		class: 'ambiguous',
		ends: list('sig sign sas pass pin sid ssid psid cfid ticket pat appid ak'),
	},
	{
		class: 'ambiguous',
		ends: phrases('app id, access id'),
	},

	// Words for properties of a credential.
	{
		class: 'plain',
		ends: list(`
			type types kind class category mode method methods format flow scheme source strategy version algorithm alg level strength
			policy policies rule rules usage consent banner notice preferences settings setting config configuration options metadata requirements validity
			rotation arn arns identifier
			count counts counter length len limit limits size minimum maximum budget window position index offset price cost rate total sum balance supply
			decimals attempts retries
			expiry expires expiration expire expired ttl age lifetime duration timeout interval date time times timestamp at on created updated changed issued
			seconds minutes hours days second minute hour day month ms
			name names label title description desc status state required enabled disabled accepted allowed supported optional valid verified exists set error errors
			url uri urls uris endpoint endpoints path paths dir prefix suffix domain domains realm scope scopes issuer audience provider providers redirect callback
			symbol standard contract address owner user users username email mail role roles group groups permission permissions language locale country region ids
			challenge nonce logprobs bias headers
		`),
	},
];

/** Last words that do not change the class of the words before them: `password_confirmation`, `token_value`. */
export const neutralWords: readonly string[] = list(`
	value string str text txt raw header field param parameter input data binary material info hex encoded encrypted enc hash hashed md sha ed pem der
	digest proof plain clear cleartext
	confirmation confirm again repeat repeated retype check verification new old current original temp temporary first one two
`);

/** First words of a boolean: `has_password`, `use_token`. Such a name is plain. */
export const questionWords: readonly string[] = list(`
	is has use uses supports require requires need needs allow allows enable disable show hide should can with without include exclude return returns no
`);

/** Words without a class, for names without separators such as `myapikey`. `passwordless` is here so that `password` is not found in it. */
export const otherWords: readonly string[] = list('my the https host php asp net amz aws google azure github gitlab slack custom customer rest pro multi passwordless');

/**
Endings that are split off even unknown words: `hapikey`, `acmetoken`. Hardly any other English word ends with one of them.
*/
export const strongEndings: readonly string[] = list(`
	token password passwd passphrase passcode secret apikey signature credential credentials authorization privatekey secretkey accesskey accesskeyid sessionid sessid
	cookie
`);

/** Words that are found even between unknown letters: `ASPSESSIONIDQQBC`. */
export const strongMiddles: readonly string[] = list('password passwd apikey authtoken accesstoken sessionid secretkey privatekey');

/**
Lower-case names of response headers that contain a credential. A response with one of them is not stored, since the credential is for one caller.

Only the exact names count; `docs/credentials.md` says what each one is. These fields are missing, since they give access to nothing:

- `WWW-Authenticate` and `Proxy-Authenticate` (RFC 9110 §11.6.1, §11.7.1) ask for a credential.
- `DPoP-Nonce` (RFC 9449 §8) and `Replay-Nonce` (RFC 8555 §6.5) are useless without the key of the client.
- `Signature` (RFC 9421) proves the identity of the server.
- `Access-Control-Allow-Credentials` is a permission; `X-RateLimit-Remaining-Tokens` is a number; `X-MS-Continuation-Token` is a position in a list.
- `Set-Cookie` has a rule of its own. The fields of a connection (`Proxy-Authorization`, `Proxy-Authentication-Info`) are never stored (RFC 9111 §3.1).
*/
export const credentialResponseHeaders: ReadonlySet<string> = new Set(list(`
	authorization x-authorization x-amzn-remapped-authorization authentication-info x-auth-token x-authtoken auth-token x-auth x-token token
	x-access-token access-token x-user-token x-id-token id-token x-jwt-token x-jwt jwt x-refresh-token refresh-token x-session-token session-token
	x-session-id session-id x-sessionid sessionid mcp-session-id x-transmission-session-id x-subject-token x-storage-token x-security-token cst
	x-amz-security-token x-vault-token x-docker-token x-okapi-token x-sap-logontoken x-mstr-authtoken x-sds-auth-token x-vcloud-authorization
	x-vmware-vcloud-access-token x-auth-request-access-token x-csrf-token x-csrftoken csrf-token x-xsrf-token xsrf-token requestverificationtoken
	emc-csrf-token x-wp-nonce x-api-key x-apikey api-key apikey
`));

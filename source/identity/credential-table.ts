/** Why a response with one of these fields is not stored. */
type Row = readonly [names: string, why: string];

const rows: readonly Row[] = [
	['authorization x-authorization', 'A service that signs a user in answers with the token in it (Spring Security, Devise).'],
	['x-amzn-remapped-authorization', 'Amazon API Gateway renames the `Authorization` of the service behind it to this.'],
	['authentication-info', 'RFC 7615: a proof made with the password or the next nonce of a Digest client. It is for one request alone.'],
	['x-auth-token x-authtoken auth-token x-auth x-token token', 'A new token, as Spring Session, Redfish and many services hand it out.'],
	['x-access-token access-token x-user-token x-id-token id-token x-jwt-token x-jwt jwt', 'The same; devise_token_auth changes it with each response.'],
	['x-refresh-token refresh-token', 'What new tokens are made from.'],
	['x-session-token session-token', 'The token of a session.'],
	['x-session-id session-id x-sessionid sessionid mcp-session-id x-transmission-session-id', 'Whoever has the id of a session has the session.'],
	['x-subject-token x-storage-token', 'OpenStack Keystone and Swift answer a sign-in with it.'],
	['x-security-token cst', 'IG and Capital.com answer a sign-in with both.'],
	['x-amz-security-token x-vault-token x-docker-token', 'The token of one service: AWS, Vault, the first Docker registry.'],
	['x-okapi-token x-sap-logontoken x-mstr-authtoken x-sds-auth-token', 'The same: FOLIO, SAP BusinessObjects, MicroStrategy and Dell ECS answer a sign-in with it.'],
	['x-vcloud-authorization x-vmware-vcloud-access-token', 'The same: VMware Cloud Director.'],
	['x-auth-request-access-token', 'oauth2-proxy sends the token of the user in it.'],
	['x-csrf-token x-csrftoken csrf-token x-xsrf-token xsrf-token requestverificationtoken', 'A token against forged requests is for one session; SAP Gateway hands it out in a response to GET.'],
	['emc-csrf-token x-wp-nonce', 'The same: Dell Unity and WordPress.'],
	['x-api-key x-apikey api-key apikey', 'A key that has been made, or that the service sends back.'],
];

/**
Names, in lower case, of header fields of responses that hand out a credential. A response with one of them is not stored: the next caller would get what was meant for the first one.

A field counts by its exact name. Not here, since they give access to nothing:

- `WWW-Authenticate` and `Proxy-Authenticate` (RFC 9110 §11.6.1, §11.7.1) ask for a credential.
- `DPoP-Nonce` (RFC 9449 §8) and `Replay-Nonce` (RFC 8555 §6.5) are worth nothing without the client's key.
- `Signature` (RFC 9421) proves who answers.
- `Access-Control-Allow-Credentials` is a permission; `X-RateLimit-Remaining-Tokens` is a number; `X-MS-Continuation-Token` is a position in a list.
- `Set-Cookie` has a rule of its own. What belongs to a connection (`Proxy-Authorization`, `Proxy-Authentication-Info`) is never stored (RFC 9111 §3.1).
*/
export const credentialResponseHeaders: ReadonlySet<string> = new Set(rows.flatMap(([names]) => names.split(' ')));

/**
What a name says of its value.

- `secret`: a credential. It parts the key by a keyed digest and is redacted wherever something is written or shown.
- `ambiguous`: a credential with some services, data with others. It parts the key by a keyed digest, and is redacted in what is written and shown.
- `plain`: it parts the key in clear and is stored and shown.
*/
export type CredentialClass = 'secret' | 'ambiguous' | 'plain';

/**
A row of the table. A name is matched by its last words; of several rows the first that matches counts.
*/
export type CredentialRow = {
	readonly class: CredentialClass;

	/** The last word of the name, or the last words with a space between them. */
	readonly ends: readonly string[];

	/** One of these words must stand directly before. Where there is no such list, anything or nothing may stand there. */
	readonly directlyAfter?: readonly string[];

	/** One of these words must stand somewhere before. */
	readonly after?: readonly string[];

	/** Names that the row matches. */
	readonly examples: readonly string[];

	readonly why: string;
};

/** Words with white space between them. */
export const list = (words: string): readonly string[] => words.trim().split(/\s+/v);

/** Phrases of several words, with commas between them. */
export const phrases = (text: string): readonly string[] => text.trim().split(/,\s+/v);

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

/** Names of several words. They come first, since they say more than their last word. */
const wholeNames: readonly CredentialRow[] = [
	{
		class: 'plain',
		ends: phrases('allow credentials, accept signature, signature input, websocket key, web socket key, cmcd session, ms session token'),
		examples: list('access-control-allow-credentials accept-signature signature-input sec-websocket-key CMCD-Session x-ms-session-token'),
		why: 'Standards and services use these names for something public: a permission, the parameters of a signature, a random number of a handshake, figures of a player, a position in a log.',
	},
	{
		class: 'plain',
		ends: phrases('client request token, idempotency key, idempotent key'),
		examples: list('ClientRequestToken Idempotency-Key'),
		why: 'It tells one attempt from another and lets nobody in. It differs from request to request, so as a credential it would cost every hit.',
	},
	{
		class: 'secret',
		ends: phrases('session id, sess id, session uuid, session guid, connect sid, access key id, secret id, service role key, cf access client id'),
		examples: list('session_id PHPSESSID JSESSIONID ASP.NET_SessionId connect.sid AWSAccessKeyId secret_id cf-access-client-id'),
		why: 'Who knows the id of a session has the session. The others are one half of a pair that says who asks.',
	},
	{
		class: 'secret',
		ends: phrases('id token hint, saml response, saml art, connection string, honeycomb team, jfrog art api, oidc data, app check, fb dtsg, request digest, one time code, factor code, ovh consumer, wskey'),
		examples: list(`
			id_token_hint SAMLResponse connection_string x-honeycomb-team X-JFrog-Art-Api x-amzn-oidc-data X-Firebase-AppCheck fb_dtsg X-RequestDigest one_time_code
			two-factor-code X-Ovh-Consumer wskey
		`),
		why: 'Well-known services send a credential under a name that does not say so.',
	},
	{
		class: 'ambiguous',
		ends: phrases(`
			signed url, signed uri, presigned url, presigned uri, sas url, sas uri, webhook url, webhook uri, magic link, init data, captcha response, recaptcha response,
			hcaptcha response, turnstile response, session response, cf clearance, client principal, pin number, resource keys, signed request, client token
		`),
		examples: list('presigned_url sasUri webhook_url initData g-recaptcha-response cf_clearance x-ms-client-principal signed_request X-Goog-Drive-Resource-Keys Client-Token'),
		why: 'The value often has a credential in it, or proves something about who sends it.',
	},
];

const secretWords: readonly CredentialRow[] = [
	{
		class: 'secret',
		ends: list('password passwords passwd passwds passwrd pwd pswd psw pw pword passphrase passphrases passcode passcodes'),
		examples: list('password new_password confirmPassword password_confirmation user[password] db_pwd passphrase'),
		why: 'Whoever knows the password gets in. An old, a new and a repeated one are passwords as well.',
	},
	{
		class: 'secret',
		ends: list('secret secrets credential credentials cred creds'),
		examples: list('client_secret webhook_secret SharedSecret credentials X-Amz-Credential'),
		why: 'The name says it. The credential of a signed URL says who has signed.',
	},
	{
		class: 'secret',
		ends: list('authorization authorisation authentication auth authn authz bearer cookie cookies aspxauth'),
		examples: list('authorization proxy-authorization Authentication X-Auth auth bearer cookie set-cookie'),
		why: 'HTTP and frameworks send credentials in fields of this name.',
	},
	{
		class: 'secret',
		ends: list('jwt jwts jws jwe dpop macaroon macaroons assertion assertions samlresponse samlart wresult tgt castgc verifier'),
		examples: list('jwt DPoP Grpc-Metadata-macaroon client_assertion cf-access-jwt-assertion SAMLart wresult code_verifier oauth_verifier'),
		why: 'A signed statement of who asks, or its proof.',
	},
	{
		class: 'secret',
		ends: list('signature signatures hmac hdnts hdnea hdntl'),
		examples: list('X-Amz-Signature X-Hub-Signature-256 oauth_signature X-Shopify-Hmac-Sha256 hdnts'),
		why: 'A signed URL lets in whoever has it.',
	},
	{
		class: 'secret',
		ends: list('otp totp hotp mfa psk cvv cvc mnemonic'),
		examples: list('X-OTP totp 2fa X-Amz-MFA wpa_psk cvv'),
		why: 'It is the second proof of who asks, or a shared secret.',
	},
	{
		class: 'secret',
		ends: list('csrf xsrf antiforgery wpnonce crumb modhash'),
		examples: list('_csrf _xsrf _wpnonce Jenkins-Crumb X-Modhash'),
		why: 'A token against forged requests belongs to one session; given to another user it breaks, or opens, that session.',
	},
	{
		class: 'secret',
		ends: list('nonce'),
		directlyAfter: list('wp'),
		examples: list('X-WP-Nonce'),
		why: 'WordPress calls its token against forged requests a nonce. Any other nonce is a random number that is worth nothing by itself, and differs by request.',
	},
	{
		class: 'secret',
		ends: list('word phrase answer'),
		directlyAfter: list('pass seed recovery secret security backup mnemonic'),
		examples: list('pass_word seed_phrase recoveryPhrase security_answer'),
		why: 'A password in two words, the words that a wallet is restored from, or what opens an account without a password.',
	},
];

const shortWords: readonly CredentialRow[] = [
	{
		class: 'secret',
		ends: list('session sess'),
		directlyAfter: list('user auth login authentication sso admin'),
		examples: list('user_session authSession'),
		why: 'The session of somebody who has signed in.',
	},
	{
		class: 'ambiguous',
		ends: list('session sess'),
		examples: list('session laravel_session _acme_session koa.sess training_session'),
		why: 'It is the id of a session, or the session of a conference.',
	},
	{
		class: 'plain',
		ends: list('sign'),
		directlyAfter: list('star zodiac road traffic street dollar plus minus'),
		examples: list('zodiac_sign road_sign'),
		why: 'A sign to look at.',
	},
	{
		class: 'secret',
		ends: list('sig sign'),
		directlyAfter: list('api auth oauth hmac request webhook app access secret token url'),
		examples: list('api_sig oauth_sig app_sign'),
		why: 'A signature in short.',
	},
	{
		class: 'secret',
		ends: list('pass pin'),
		directlyAfter: list(`
			user db database login admin root smtp imap ftp mail email proxy http basic auth old new current confirm my account ldap ssh wifi card debit credit
			security
		`),
		examples: list('user_pass db_pass new_pin card_pin'),
		why: 'A password or a secret number in short.',
	},
	{
		class: 'secret',
		ends: list('ticket'),
		directlyAfter: list('auth login service granting session csrf sso kerberos proxy'),
		examples: list('auth_ticket service_ticket'),
		why: 'A ticket of a single sign-on.',
	},
	{
		class: 'ambiguous',
		ends: list('sig sign sas pass pin sid ssid psid cfid ticket pat appid ak'),
		examples: list('sig sign pass season_pass pin sid AccountSid ticket support_ticket pat appid ak'),
		why: 'Services use these short words for credentials (the `sig` of Azure, the `ticket` of CAS, the `appid` of OpenWeatherMap), and others use them for data.',
	},
	{
		class: 'ambiguous',
		ends: phrases('app id, access id'),
		examples: list('app_id GoogleAccessId'),
		why: 'For some services the id alone says who asks.',
	},
];

/** Words that say that a name is about something that is told of a credential. */
const about: readonly CredentialRow[] = [
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
		examples: list('token_type password_policy session_count key_name code_challenge token_endpoint secret_name auth_user dpop_nonce cookie_consent x-amz-security-token-expires'),
		why: 'It tells something about a credential and is none itself. The username and the e-mail address say who somebody is, not that it is true.',
	},
];

/**
What names say of their values, in the order in which it is asked: the first row that matches a name's last words counts. A name that no row matches is `plain`.
*/
export const credentialTable: readonly CredentialRow[] = [
	...wholeNames, ...secretWords, ...tokens, ...keys, ...codes, ...shortWords, ...about,
];

/** Last words that do not change what the words before them say: `password_confirmation`, `token_value`. */
export const neutralWords: readonly string[] = list(`
	value string str text txt raw header field param parameter input data binary material info hex encoded encrypted enc hash hashed md sha ed pem der
	digest proof plain clear cleartext
	confirmation confirm again repeat repeated retype check verification new old current original temp temporary first one two
`);

/** First words of a name that ask whether there is something: `has_password`, `use_token`. Such a name is plain. */
export const questionWords: readonly string[] = list(`
	is has use uses supports require requires need needs allow allows enable disable show hide should can with without include exclude return returns no
`);

/** Words that have no say, but that names are run together with: `myapikey`. `passwordless` is here so that no password is found in it. */
export const otherWords: readonly string[] = list('my the https host php asp net amz aws google azure github gitlab slack custom customer rest pro multi passwordless');

/**
Endings of words that are split off whatever stands before them, even where it is unknown: `hapikey`, `acmetoken`. Hardly any other English word ends with one of them.
*/
export const strongEndings: readonly string[] = list(`
	token password passwd passphrase passcode secret apikey signature credential credentials authorization privatekey secretkey accesskey accesskeyid sessionid sessid
	cookie
`);

/** Words that are found within others, whatever stands around them: `ASPSESSIONIDQQBC`. */
export const strongMiddles: readonly string[] = list('password passwd apikey authtoken accesstoken sessionid secretkey privatekey');

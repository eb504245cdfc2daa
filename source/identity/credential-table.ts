import {list, phrases, type CredentialRow} from './credential-row.ts';
import {codes, keys, tokens} from './token-rows.ts';

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

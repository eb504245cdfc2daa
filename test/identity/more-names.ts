/** Names from the documentation of further services, judged before the table was asked, and usual names in further spellings. */

const list = (names: string): readonly string[] => names.trim().split(/\s+/v);

export const moreSecretNames: Readonly<Record<string, readonly string[]>> = {
	'names of further services': list(`
		sw-access-key sw-context-token X-DreamFactory-Session-Token X-SDS-AUTH-TOKEN X-MSTR-AuthToken X-Octopus-ApiKey X-Tableau-Auth X-Ops-Authorization-1
		X-Okapi-Token X-SECURITY-TOKEN APCA-API-SECRET-KEY KC-API-SIGN KC-API-PASSPHRASE
		OK-ACCESS-KEY OK-ACCESS-SIGN CB-ACCESS-SIGN API-Sign X-BAPI-API-KEY X-GEMINI-APIKEY X-GEMINI-SIGNATURE bfx-signature X-Line-Signature
		X-Viber-Auth-Token X-Typesense-API-Key x-portkey-api-key Helicone-Auth auth_signature auth_key
		X-Redlock-Auth X-UserToken X-F5-Auth-Token X-Transmission-Session-Id SynoToken X-Trino-Extra-Credential X-Databricks-Azure-SP-Management-Token
		Zotero-API-Key X-IBM-Client-Secret X-Hook-Secret x-zm-signature PayPal-Auth-Assertion
		X-Naver-Client-Secret X-NCP-APIGW-API-KEY X-TBA-Auth-Key X-CoinAPI-Key X-HubSpot-Signature-v3 x-oss-credential q-signature wsSecret txSecret
		token_hash otp_secret g_csrf_token TokenCode WebIdentityToken SAMLAssertion
		SSECustomerKey SecretString SecretBinary ConfirmationCode PreviousPassword ProposedPassword SecretHash card[cvc] bot_user_oauth_token secret_token
		provider_token recaptchaToken mfaPendingCredential appsecret_proof developer-token
		X-EBAY-API-IAF-TOKEN WM_SEC.ACCESS_TOKEN WM_SEC.AUTH_SIGNATURE connectionToken X-SAP-LogonToken atl_token os_password X-Auth-CouchDB-Token kbn-xsrf
		es-secondary-authorization NX-ANTI-CSRF-TOKEN lgtoken lgpassword centralauthtoken
		X-Modhash webapi_token Ubi-SessionId login_hint_token Zotero-Write-Token
	`),
	'further spellings': list(`
		x-xsrf-header-token apikeytoken userApiToken X-CSRFTOKEN OAUTHTOKEN X-OAuth-Token xoauth2_token API-KEY api.key api-key-v1 x_api_key
		HTTP_AUTHORIZATION HTTP_X_API_KEY access-token-secret accesstokensecret clientsecret CLIENTSECRET
		clientSecretKey oauthSignature oauthconsumerkey authorizationcode sessiontoken SESSIONTOKEN sessionkey userpassword USERPASSWORD passwordconfirm
		confirmpassword newpassword old-password currentPassword passwordRepeat
		repeat_password retype_password loginPassword login[password] account[credentials][password] auth[password] auth.token headers[Authorization]
		data.attributes.password j_password _password log_pwd ftp_pass pgpassword PGPASSWORD
		MYSQL_PWD mysql_root_password redis_password AMQP_PASSWORD jdbc.password ldapBindPassword keystorePassword trustStorePassword admin_pw wp-password
		rootpasswd X-Backend-Token x-service-token X-Internal-Token x-bot-token bot_token
		botToken slack_bot_token github_token GITHUB_TOKEN ghToken npm_token NPM_AUTH_TOKEN _authToken ci_job_token CI_JOB_TOKEN gitlab-ci-token
		circleci_token travis_token heroku_api_key sendgrid_api_key mailgun_api_key twilio_auth_token
		stripe_secret_key rpc_secret jwt_secret JWT_SECRET_KEY session_secret_key cookie_secret COOKIE_SECRET rails_master_key encryption_secret hmac_secret
		webhookSigningSecret webhook_signature x-webhook-signature X-Signature
		x-signature-ed25519 X-Wc-Webhook-Signature X-Razorpay-Signature X-Square-Signature x-square-hmacsha256-signature x-paystack-signature X-Auth-Signature
		x-amz-sns-signature X-Kite-Token enctoken X-Angel-Token X-PrivateKey X-UserAuth
		feedToken app_password appPassword bsky_jwt accessJwt refreshJwt x-atproto-token matrix_access_token as_token hs_token e2e_key_passphrase
		recaptcha_token hcaptcha_secret turnstile_token one_time_token onetimepassword login_code
		loginCode signin_code email_code device_secret deviceCookie idtoken IdToken IDToken IDtoken id-token b2_application_key X-Bz-Upload-Authorization
		X-Auth-Userkey sshPrivateKey ssh_private_key privatekeypem clientPrivateKey
		publicApiKey x-gravitee-api-key X-Kong-Admin-Token Kong-Admin-Token X-Tyk-Authorization X-Api-Secret X-Secret-Key x-secret X-Client-Auth
		x-shared-secret SharedAccessSignature sharedaccesssignature X-Ably-Key-Secret ably_token
		xmlrpc_password totpSecret otpauth_secret hotp_code tan_code_secret mfaToken twoFactorToken 2fa_token twofactorcode 2FA-Code totpcode x-2fa-token
		X-MFA-Code backup_code scratch_codes emergency_code unlock_token
		account_recovery_token password_reset_token resetPasswordToken email_verification_token confirmationToken inviteToken csrfToken csrf-token XSRFToken
		anti_csrf_token __csrf_token CSRFPreventionToken antiCsrfToken
		x-sap-security-token sap-xsrf-token passKey
	`),
};

export const moreAmbiguousNames: Readonly<Record<string, readonly string[]>> = {
	'names of further services': list(`
		X-BAPI-SIGN X-NITRO-PASS X-ClickHouse-Key APCA-API-KEY-ID listenKey x-portkey-virtual-key X-SFDC-Session X-PAN-KEY X-chkp-sid X-Trino-Session q-ak
		auth_req_id KeyMaterial AuthParameters ephemeral_key CallSid sessionInfo auth-id
		X-Ubi-AppId otp_attempt magic_link Ephemeral-Code
	`),
	'further spellings': list(`
		secret_key_base Paypal-Transmission-Sig X-Ably-Key X-SFX-Key client_code X-Kite-Key access_id appID pincode PIN-Code sessionData session-info
		wx_session WX_CODE js_code api_ticket jsapi_ticket smart_pass x-pass invite_key
		event_pass hasura_session key_hash passHash
	`),
};

export const morePlainNames: Readonly<Record<string, readonly string[]>> = {
	'names of further services': list(`
		X-MSTR-ProjectID X-Ops-Userid X-Ops-Content-Hash X-Okapi-Tenant KC-API-TIMESTAMP X-BAPI-RECV-WINDOW X-GEMINI-PAYLOAD bfx-nonce recvWindow
		X-Contentful-Topic Helicone-Cache-Enabled x-goog-authenticated-user-id X-Forwarded-Email
		X-Auth-Request-Groups stream-auth-type auth_timestamp body_md5 Sforce-Call-Options X-ClickHouse-User X-Snowflake-Authorization-Token-Type
		X-Databricks-Org-Id x-ms-documentdb-partitionkey X-IBM-Client-Id X-Goog-Channel-ID
		X-Goog-Resource-State Xero-tenant-id intuit_tid Square-Version PayPal-Request-Id Idempotency-Replayed X-User-Email X-Event-Key X-Hook-UUID
		Impersonate-User X-Scope-OrgID skoid sktid x-oss-process x-oss-signature-version
		q-sign-algorithm q-sign-time q-header-list Policy Key-Pair-Id txTime user[remember_me] id_token_signed_response_alg token_endpoint_auth_method
		code_challenge_methods_supported request_uri issued_token_type subject_token_type
		post_logout_redirect_uri binding_message SerialNumber RoleSessionName DurationSeconds SSEKMSKeyId LockToken GrantTokens ReceiptHandle AuthFlow
		ChallengeName PaginationToken KeyConditionExpression KeySchema key_id secret_type
		fingerprint armored_public_key payment_method card[number] starting_after metadata[key] promotion_code tax_code trigger_id allowed_updates
		start_parameter quotaUser prettyPrint resumeToken returnOobLink login-customer-id
		X-EBAY-C-MARKETPLACE-ID WM_CONSUMER.ID WM_SEC.KEY_VERSION WM_QOS.CORRELATION_ID sap-language sap-client os_authType X-Auth-CouchDB-UserName
		X-Auth-CouchDB-Roles startkey_docid kbn-version scroll_id Api-Username user-api-client-id
		assertuser rvcontinue maxlag x-ms-effective-locale passengers_count sign_in_url assigned_codes passport_number session_notes signing_date
		X-RateLimit-Policy tokens_per_minute key_points author_key_name codepage codebase
		auth0_domain secretary_id token_standard cookies_accepted
	`),
	'further spellings': list(`
		x-api-version-token-type tokenizer_config stop_tokens n_tokens tokens_used tokensUsed estimated_tokens tokens_remaining max_output_tokens
		maxOutputTokens per_page_token pagetoken nextpagetoken NEXT_PAGE_TOKEN next-token
		paginationtoken continuationtoken sort-key SORT_KEY sortkey PARTITION_KEY partitionkey cachekey idempotencykey idempotency-key-expires zip-code
		ZIPCODE postcode post_code postalCode countrycode COUNTRY_CODE httpStatusCode
		http_code errcode err_code retcode_type authorId author-name authorEmail author_association coauthors authority_id authoritative authorship
		authenticityScore authentic authenticatedUser is_authenticated isAuthorized auth_user_id
		authorized_at designId design_system designation signal_strength signals signing_at signature_version sessionCount sessionType session_index
		sessions_count conference_sessions password_last_changed passwordPolicy
		password_min_length passwords_enabled_count tokenType token_ttl keyType key_usage key_ops key_format keyspace keystore_path keyring_name keyframes
		monkeyId keyboard_layout turnkey_url lowkey_mode passenger_name passengersCount
		passing_grade bypass_cache byPassCache compass_heading encompass surpass passive_mode pinterest_id pinned_at pin_count spinning opinions shopping_cart
		pinch zoom pins codecs encoding decode_html codename code_style codeblock
		coding_system qrcode_size sidecar side sidebar_position insider asideId president signup_date signin_count signupSource assigned assignees consignment
		resignation cosigner_name ticket_id ticketId ticket_number ticket_status
		cookie_notice cookies_enabled cookiePolicy secretaryName secretion processions session_ids tokens_per_second hashKey hashtag hashes nonces signed_at
		x-signed-by expires x-amz-expires client-id clientid appVersion app_name
		userAgent user-agent X-User-Id X-UserId uid gid pid tid psu-ip-address X-Tenant X-Org-Id X-Account-Id x-project-id grantType redirectUri scopes
		loginHint acrValues codeChallenge codeChallengeMethod
		token_endpoint_auth_signing_alg jwks_uri jwks x5t kid alg typ iss aud sub exp iat nbf jti azp x-b3-flags x-trace-id trace_id spanId request-id
		x-ms-request-id x-ms-return-client-request-id x-ms-correlation-request-id
		x-goog-request-reason X-Goog-Hash x-goog-meta-author x-amz-meta-author x-amz-tagging x-amz-website-redirect-location x-amz-bucket-region X-Amz-Cf-Id
		X-Amz-Function-Error X-Cache X-Served-By X-Timer X-Powered-By X-Frame-Options
		X-Content-Type-Options X-XSS-Protection x-robots-tag X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset RateLimit-Policy
		Strict-Transport-Security Public-Key-Pins Permissions-Policy X-Pagination-Page X-Total-Count
		x-next-cursor X-WP-Total X-Shopify-API-Version X-Dropbox-Path-Root Dropbox-API-Arg Dropbox-API-Select-User X-PrettyPrint Sforce-Query-Options
		Intuit-Tid xero-tenant-id MS-CV client-request-id return-client-request-id
		Accept-Version Content-Version
	`),
};

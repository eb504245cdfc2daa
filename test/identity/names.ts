/** Names of headers and parameters as their services write them, by what they say of the value. */

const list = (names: string): readonly string[] => names.trim().split(/\s+/v);

export const secretNames: Readonly<Record<string, readonly string[]>> = {
	'HTTP and its registry': list('authorization proxy-authorization Authentication cookie Cookie2 Set-Cookie Signature DPoP Detached-JWS'),
	'OAuth and OpenID Connect': list(`
		access_token accessToken refresh_token id_token id_token_hint logout_token client_secret client_assertion assertion subject_token actor_token registration_access_token
		code_verifier codeVerifier device_code deviceCode user_code authorization_code auth_code authCode oauth_token oauth_token_secret oauth_verifier
		oauth_consumer_key oauth_signature
		consumer_key consumerSecret token_secret bearer bearer_token bearerToken jwt jwt_token software_statement_token request_token personal_access_token
	`),
	'SAML, CAS, WS-Federation and Kerberos': list('SAMLResponse saml_art saml_assertion wresult service_ticket granting_ticket kerberos_ticket tgt'),
	'forged requests': list(`
		csrf _csrf csrf_token csrftoken X-CSRF-Token X-CSRFToken X-XSRF-TOKEN XSRF-TOKEN _xsrf csrfmiddlewaretoken authenticity_token
		__RequestVerificationToken RequestVerificationToken
		antiforgery_token X-WP-Nonce _wpnonce anti-csrf-token csrf_test_name_token fb_dtsg X-RequestDigest Jenkins-Crumb sesskey
	`),
	sessions: list(`
		session_id sessionId SessionID sessionid X-Session-Id Mcp-Session-Id PHPSESSID JSESSIONID ASP.NET_SessionId connect.sid session_token SessionToken
		session_key session_secret user_session auth_session remember_token X-Parse-Session-Token CFTOKEN .ASPXAUTH __Secure-next-auth.session-token
	`),
	'passwords and codes': list(`
		password Password passwd pwd pw passphrase passcode pass_word passkey user_password new_password old_password current_password confirm_password
		password_confirmation passwordConfirmation password2 password_hash
		user[password] plainPassword[first] user_pass db_pass smtp_password proxy_password master_password wifi_password card_pin new_pin wpa_psk
		pre_shared_key cvv cvc security_code seed_phrase recovery_phrase security_answer mnemonic
		otp X-OTP otp_code totp totp_code mfa_code mfa_token 2fa 2fa_code two_factor_code one_time_code one_time_password X-GitHub-OTP sms_code
		verification_code verificationCode confirmation_code recovery_code recovery_codes backup_codes invite_code invitation_code reset_code activation_code
		magic_code oobCode
	`),
	'keys to interfaces': list(`
		api_key apikey apiKey API_KEY Api-Key X-API-Key X-ApiKey api_key[] apikey_v2 ApiKeys X-ApiKeys api_token apiToken ApiToken X-API-Token api_secret
		apiSecret X-RapidAPI-Key Ocp-Apim-Subscription-Key subscription-key x-functions-key
		DD-API-KEY DD-APPLICATION-KEY X-License-Key X-Insert-Key license_key X-Algolia-API-Key X-Goog-Api-Key X-Parse-REST-API-Key X-Parse-Master-Key
		X-ELS-APIKey X-CMC_PRO_API_KEY x-cg-demo-api-key X-MBX-APIKEY xi-api-key X-Cisco-Meraki-API-Key X-Redmine-API-Key X-NuGet-ApiKey hapikey
		app_key appKey app_secret appSecret app_code serviceKey service_role_key account_key AccountKey SharedAccessKey shared_key writeKey sdk_key
		developer_key user_key server_key stream_key admin_key master_key root_key
		access_key accessKey secret_key secretKey private_key privateKey private_key_data signing_key encryption_key decryption_key unseal_key hmac_key
		webhook_secret signing_secret shared_secret credential credentials X-Auth-Key X-Auth-User-Service-Key integration_key_secret
	`),
	'tokens of services': list(`
		token X-Token $token filter.token tokens_secret auth_token authToken AuthToken X-Auth-Token X-AuthToken x-authtoken PRIVATE-TOKEN JOB-TOKEN
		DEPLOY-TOKEN X-Gitlab-Token X-Vault-Token X-Consul-Token X-Nomad-Token X-Shopify-Access-Token X-Shopify-Storefront-Access-Token X-Figma-Token
		X-Plex-Token X-Emby-Token X-Riot-Token X-TrackerToken Circle-Token
		X-Postmark-Server-Token X-Telegram-Bot-Api-Secret-Token X-Subject-Token X-Storage-Token X-Aws-Ec2-Metadata-Token x-aws-parameters-secrets-token
		X-Goog-IAM-Authorization-Token X-Firebase-AppCheck X-Firebase-Instance-ID-Token x-guest-token device_token registration_tokens push_token verify_token
		hub.verify_token hub.secret input_token fb_exchange_token wstoken feed_token rss_token invite_token reset_token unsubscribe_token upload_token
		share_token acme_token acmetoken taskToken access_tokens apiTokens
	`),
	'signed requests and encrypted objects': list(`
		X-Amz-Signature X-Amz-Credential X-Amz-Security-Token AWSAccessKeyId access_key_id secret_access_key SecretAccessKey aws_secret_access_key
		aws_session_token OSSAccessKeyId x-oss-security-token X-Amz-MFA x-amz-access-token
		X-Goog-Signature X-Goog-Credential shared_access_signature sas_token x-ms-copy-source-authorization x-amz-server-side-encryption-customer-key
		x-amz-copy-source-server-side-encryption-customer-key x-goog-encryption-key x-ms-encryption-key
		X-Hub-Signature X-Hub-Signature-256 X-Slack-Signature Stripe-Signature X-Twilio-Signature X-Shopify-Hmac-Sha256 api_sig hmac hmac_sha256 connection_string
	`),
	'proxies and gateways': list(`
		cf-access-client-secret cf-access-client-id cf-access-token cf-access-jwt-assertion x-goog-iap-jwt-assertion x-amzn-oidc-data x-amzn-oidc-accesstoken
		X-Auth-Request-Access-Token X-Forwarded-Access-Token x-honeycomb-team X-JFrog-Art-Api x-hasura-admin-secret X-Sentry-Auth x-zumo-auth auth X-Auth
		basic_auth
	`),
};

export const ambiguousNames: Readonly<Record<string, readonly string[]>> = {
	'short words': list('key code session sess sig sign pass pin sid ssid ticket pat sas ak appid app_id koa.sess CFID'),
	'with a word that says nothing of it': list(`
		acme_key environment_key X-Mashape-Key routing_key data_key ssh_key acme_code pin_code gift_code voucher_code acme_session laravel_session
		PLAY_SESSION rack.session training_session boarding_pass season_pass gpio_pin acme_sid AccountSid support_ticket GoogleAccessId key2
	`),
	'a credential and an unknown word': list(`
		token_foo password_hint password_reset secret_santa token_id token_accessor api_key_id api_key_staging auth_foo Sec-Token-Binding csrf_magic
	`),
	'a credential within': list(`
		presigned_url pin_number X-Goog-Drive-Resource-Keys sasUri webhook_url initData g-recaptcha-response h-captcha-response cf_clearance signed_request
		x-ms-client-principal ASPSESSIONIDQQABCD
	`),
};

export const plainNames: Readonly<Record<string, readonly string[]>> = {
	'HTTP and its registry': list(`
		A-IM Accept Accept-Additions Accept-CH Accept-Charset Accept-Datetime Accept-Encoding Accept-Features Accept-Language Accept-Patch Accept-Post
		Accept-Ranges Accept-Signature Access-Control-Request-Headers Access-Control-Request-Method Access-Control-Allow-Credentials
		Access-Control-Allow-Origin
		Age Allow Alt-Svc Alt-Used Cache-Control Cache-Status CDN-Loop Client-Cert Client-Cert-Chain Connection Content-Digest Content-Disposition
		Content-Encoding Content-Language Content-Length Content-Location Content-MD5 Content-Range Content-Type Date Depth Destination DNT Early-Data ETag
		Expect Expires Forwarded From Host HTTP2-Settings
		If If-Match If-Modified-Since If-None-Match If-Range If-Schedule-Tag-Match If-Unmodified-Since Keep-Alive Last-Event-ID Last-Modified Link Location
		Lock-Token Max-Forwards MIME-Version OData-MaxVersion Ordering-Type Origin OSCORE Overwrite Ping-From Pragma Prefer Priority Proxy-Authenticate
		Proxy-Connection Proxy-Status Range Referer Replay-Nonce Repr-Digest Retry-After
		Save-Data Schedule-Reply Schedule-Tag Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-GPC Sec-Purpose Sec-CH-UA Sec-CH-UA-Mobile
		Sec-CH-UA-Platform Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Signature-Input SLUG
		SoapAction Surrogate-Capability Surrogate-Key TE Timeout Topic Trailer Transfer-Encoding TTL Upgrade Upgrade-Insecure-Requests Urgency User-Agent Vary
		Via Want-Content-Digest WWW-Authenticate
	`),
	'headers of browsers, SDKs, proxies and tracing': list(`
		traceparent tracestate baggage x-request-id x-correlation-id X-Amzn-Trace-Id x-b3-traceid X-B3-SpanId X-B3-ParentSpanId X-B3-Sampled b3 uber-trace-id
		x-cloud-trace-context x-datadog-trace-id x-datadog-sampling-priority newrelic sentry-trace elastic-apm-traceparent x-ot-span-context grpc-timeout
		x-forwarded-for X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-User X-Real-IP CF-Connecting-IP cf-ray cf-ipcountry
		cf-access-authenticated-user-email True-Client-IP X-Client-IP Fastly-Client-IP X-Envoy-Original-Path x-requested-with X-HTTP-Method-Override
		X-Goog-AuthUser
		x-amz-date x-amz-target x-amz-content-sha256 X-Amz-Algorithm X-Amz-Expires X-Amz-SignedHeaders x-amz-request-payer x-amz-acl x-amz-storage-class
		x-amz-user-agent x-amz-checksum-crc32 amz-sdk-invocation-id amz-sdk-request x-amz-server-side-encryption-aws-kms-key-id
		x-aws-ec2-metadata-token-ttl-seconds
		x-goog-user-project x-goog-api-client X-Goog-Date X-Goog-Algorithm x-goog-request-params X-Goog-FieldMask x-firebase-gmpid x-ms-date x-ms-version
		x-ms-client-request-id x-ms-blob-type x-ms-lease-id x-ms-session-token X-GitHub-Api-Version X-GitHub-Delivery X-GitHub-Event X-Gitlab-Event
		X-Shopify-Topic X-Shopify-Shop-Domain X-Slack-Request-Timestamp Stripe-Version Stripe-Account anthropic-version anthropic-beta OpenAI-Organization
		OpenAI-Project X-Stainless-Lang X-Algolia-Application-Id X-Algolia-Agent X-Vault-Namespace X-Vault-Wrap-TTL X-Parse-Application-Id X-Auth-Email
		X-Tenant-Id x-hasura-role Notion-Version X-Atlassian-Token-Type
	`),
	'positions in lists': list(`
		page_token pageToken next_token nextToken nextPageToken NextToken next_page_token previous_page_token prevPageToken continuation_token
		ContinuationToken NextContinuationToken continuationToken x-ms-continuation-token resumptionToken resumption_token pagination_token paginationToken
		syncToken nextSyncToken starting_token startingToken $skiptoken skipToken $deltatoken deltaToken changeToken cursor_token offset_token scroll_token
		nextForwardToken nextBackwardToken sequenceToken uploadSequenceToken marker NextMarker KeyMarker next_cursor cursor after before ExclusiveStartKey
		LastEvaluatedKey startkey endkey NextPartitionKey NextRowKey ChangeKey
	`),
	'numbers of attempts': list(`
		Idempotency-Key idempotency_key idempotencyKey X-Idempotency-Key ClientRequestToken client_request_token
		idempotency_token IdempotencyToken CreationToken dedup_key deduplication_key
	`),
	'language models': list(`
		max_tokens maxTokens max_new_tokens max_completion_tokens min_tokens total_tokens prompt_tokens completion_tokens input_tokens output_tokens
		cached_tokens reasoning_tokens budget_tokens thinking_tokens num_tokens max_tokens_to_sample stop_token stop_token_ids eos_token eos_token_id
		bos_token pad_token_id unk_token skip_special_tokens add_special_tokens tokens tokenizer tokenize tokenization token_count tokenCount token_limit
		token_type token_type_ids token_usage cost_per_token time_to_first_token time_per_output_token x-ratelimit-remaining-tokens x-ratelimit-limit-tokens
		x-ratelimit-reset-tokens
	`),
	'keys of data': list(`
		partition_key primary_key foreign_key sort_key sortKey range_key hash_key cache_key cacheKey x-cache-key public_key publicKey site_key sitekey
		object_key event_key issueKey project_key spaceKey meta_key tag_key label_key metric_key translation_key order_key row_key keys key_name keyName
		key_type key_size key_count key_length kms_key_id keyword keywords keyboard monkey hotkey donkey turkey keynote keystroke
	`),
	'codes of data': list(`
		country_code countryCode zip_code zipcode postal_code postalcode status_code statusCode error_code errorCode response_code exit_code currency_code
		language_code area_code region_code airport_code product_code promo_code discount_code coupon_code referral_code barcode source_code event_code
		color_code codes country_codes codec encode decode unicode opcode geocode code_challenge code_challenge_method
	`),
	'about credentials': list(`
		token_endpoint token_url token_format token_expiry token_expires_at tokenExpiration token_name token_address token_symbol grant_type session_type
		session_count session_name session_date session_status session_duration session_timeout session_state sessions password_policy password_length
		password_strength password_changed_at password_expiry cookie_consent cookie_policy cookie_domain secret_name secretName secret_version auth_type
		auth_method auth_mode auth_time auth_provider auth_url oauth_version oauth_nonce oauth_timestamp oauth_callback oauth_signature_method
		signature_method SignatureVersion signature_date github-authentication-token-expiration client_assertion_type token_type_hint login_hint has_password
		is_secret use_token require_auth show_password include_credentials with_credentials returnSecureToken skip_auth_type x-twitter-auth-type
		X-Auth-Request-User
	`),
	'who and what': list(`
		username user user_name userId user_id login email client_id clientId account_id tenant_id organization_id device_id id uuid guid name title author
		authors authority authored_by author_id authenticated authorized assignee assigned_to owner creator state nonce hash salt digest checksum etag
		redirect_uri response_type response_mode scope audience prompt display max_age acr_values ui_locales RelayState SAMLRequest
	`),
	'words with the letters of a credential': list(`
		zodiac_sign road_sign plus_sign
		design designer signal signup signin signed_headers sign_up assignment insight insights passenger passengers compass bypass passage passport passive
		passion possession possessions obsession secretary secretariat pinned pinterest spinner opinion shopping mapping pinyin ticketing tickets coding coder
		encoder autocode sessional cookiecutter passwordless tokenomics keen okay whiskey hockey jockey sidebar sides inside outside asset assets residence
		resident
	`),
	'all else': list(`
		q query search filter sort order page per_page limit offset lang locale timezone format fields include expand from to since until start end date
		timestamp lat lng latitude longitude radius units currency price amount quantity status type category tag tags label color size width height url
		callback x y z utm_source utm_medium gclid fbclid ref referrer version api_version action method path host port protocol created_at updated_at
		description content text message subject body model temperature top_p seed stream
	`),
};

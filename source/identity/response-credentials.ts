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

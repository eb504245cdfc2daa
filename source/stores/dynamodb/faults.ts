import {CacheHooksError} from '../../errors.ts';

const throttling = new Set([
	'ProvisionedThroughputExceededException',
	'ThrottlingException',
	'Throttling',
	'ThrottledException',
	'RequestLimitExceeded',
	'RequestThrottled',
	'RequestThrottledException',
	'TooManyRequestsException',
	'LimitExceededException',
	'SlowDown',
]);

const credentials = new Set([
	'AccessDeniedException',
	'AccessDenied',
	'CredentialsProviderError',
	'TokenProviderError',
	'ExpiredToken',
	'ExpiredTokenException',
	'IncompleteSignature',
	'IncompleteSignatureException',
	'InvalidClientTokenId',
	'InvalidSignatureException',
	'MissingAuthenticationToken',
	'MissingAuthenticationTokenException',
	'NotAuthorized',
	'OptInRequired',
	'SignatureDoesNotMatch',
	'UnrecognizedClientException',
]);

const unreachable = new Set(['TimeoutError', 'RequestTimeout', 'AbortError', 'NetworkingError']);

/**
What the SDK threw, as an error of this library with the SDK's as `cause`. Its message is not repeated: of a wrong signature it holds the headers that were signed.
*/
export function faultOf(error: unknown, tableName: string): CacheHooksError {
	if (error instanceof CacheHooksError) {
		return error;
	}

	const {name = 'Error', code, $metadata, $retryable} = error as {
		name?: string; code?: unknown; $metadata?: {httpStatusCode?: number}; $retryable?: {throttling?: boolean};
	};
	const fault = (storeCode: string, fact: string): CacheHooksError =>
		new CacheHooksError(storeCode, `The DynamoDB table \`${tableName}\` ${fact} (${name})`, {cause: error});

	if (throttling.has(name) || $retryable?.throttling === true || $metadata?.httpStatusCode === 429) {
		return fault('ERR_STORE_THROTTLED', 'takes no more requests at present');
	}

	if (credentials.has(name)) {
		return fault('ERR_STORE_CREDENTIALS', 'is not open to these credentials, or there are none');
	}

	if (name === 'ResourceNotFoundException') {
		return fault('ERR_STORE_TABLE', 'is not there: create it, or set `createTable: true`');
	}

	return unreachable.has(name) || (typeof code === 'string' && $metadata?.httpStatusCode === undefined) ? fault('ERR_STORE_UNREACHABLE', 'cannot be reached') : fault('ERR_STORE_FAULT', 'failed');
}

/** Whether the SDK's error of this name is what a call failed with. */
export function isCausedBy(error: unknown, name: string): boolean {
	return error instanceof CacheHooksError && (error.cause as {name?: unknown} | undefined)?.name === name;
}

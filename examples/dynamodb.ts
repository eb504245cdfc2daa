/*
`node examples/dynamodb.ts [URL]`: a DynamoDB table holds the responses, by a Keyv adapter that any Keyv 5 or 6 can use. Region and credentials are those of the AWS SDK's configuration; `AWS_ENDPOINT_URL_DYNAMODB` names another server, as DynamoDB Local.
*/
import process from 'node:process';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';
import {KeyvDynamoDb} from 'got-cache-hooks/dynamodb';

const url = process.argv[2] ?? 'https://example.com/';
const keyv = new Keyv({store: new KeyvDynamoDb({tableName: 'http_cache', createTable: true}), namespace: 'responses'});
const client = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));

// Making the table takes longer than a request waits for a store.
await getCache(client).ready();

for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
}

await keyv.disconnect();

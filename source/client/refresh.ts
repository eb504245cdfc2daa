import {ClientRequest, type IncomingMessage} from 'node:http';
import type {Engine} from '../engine/engine.ts';
import type {Exchange} from '../engine/exchange.ts';
import {receive} from './receive.ts';
import {awaitResponse, isClientRequest, type Send} from './native-request.ts';

/**
Sends the request once more, for the cache alone: nobody waits for it, the process included.

@param milliseconds - When to give up.
@throws Where the request fails.
*/
export async function refresh(exchange: Exchange, engine: Engine, send: Send, milliseconds: number): Promise<void> {
	const step = await engine.begin(exchange);
	if (step.do !== 'send') {
		return;
	}

	const result = await send(step.validators);
	if (!isClientRequest(result)) {
		await drain(receive(result as IncomingMessage, exchange, engine));
		return;
	}

	// Sockets of other kinds may be shared with requests that somebody waits for.
	if (result instanceof ClientRequest) {
		result.once('socket', socket => {
			socket.unref?.();
		});
	}

	const limit = setTimeout(() => {
		result.destroy(new Error(`The refresh took longer than ${milliseconds} ms`));
	}, milliseconds);
	limit.unref();

	try {
		const response = await awaitResponse(result, exchange.request.body);
		await drain(receive(response, exchange, engine));
	} finally {
		clearTimeout(limit);
	}
}

async function drain(response: NodeJS.ReadableStream | 'resend'): Promise<void> {
	// What was to be renewed is gone: the next caller asks for it.
	if (response === 'resend') {
		return;
	}

	await new Promise<void>((resolve, reject) => {
		response.once('error', reject);
		response.once('end', resolve);
		response.once('close', resolve);
		response.resume();
	});
}

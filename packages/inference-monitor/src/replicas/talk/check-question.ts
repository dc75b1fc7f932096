import type { Question } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { AskReplicaRequest } from '@sentinel/contracts/sentinel/v1/replica.js';
import { SentinelError } from '@sentinel/service-kit/errors';

/** The limits of the wire contract. */
const MAX_PROMPT_BYTES = 4_096;
const MAX_TOKENS = 256;
const MAX_REPLAY_BYTES = 1_048_576;
const MAX_REPLAY_TOKENS = 131_072;
const MAX_NAME_BYTES = 200;
const MAX_HASH_BYTES = 64;
const MAX_WORKER = 1_024;
const STATISTIC = /^[^\p{Cc}]{1,400}$/u;

export type Asked = NonNullable<Question['body']>;

/** @throws SentinelError INVALID_ARGUMENT naming the field */
export function checkQuestion({ question, configHash, serverHash, model, replica }: AskReplicaRequest): Asked {
  if (configHash.length > MAX_HASH_BYTES) throw wrong('config_hash', `is longer than ${MAX_HASH_BYTES} bytes`);
  if (serverHash.length > MAX_HASH_BYTES) throw wrong('server_hash', `is longer than ${MAX_HASH_BYTES} bytes`);
  checkText(model, 'model');
  checkText(replica, 'replica');
  const body = question?.body;
  if (body === undefined) throw wrong('question', 'is missing');
  if (body.$case === 'canary') {
    const { prompt, maxTokens } = body.value;
    if (Buffer.byteLength(prompt) > MAX_PROMPT_BYTES || prompt === '')
      throw wrong('question.canary.prompt', `must be 1 to ${MAX_PROMPT_BYTES} bytes`);
    if (maxTokens < 1 || maxTokens > MAX_TOKENS)
      throw wrong('question.canary.max_tokens', `must be 1 to ${MAX_TOKENS}`);
  }
  if (body.$case === 'replay') {
    const { prompt, completion, body: bytes, headerLength } = body.value;
    if (prompt.length + completion.length > MAX_REPLAY_TOKENS)
      throw wrong('question.replay', `has more than ${MAX_REPLAY_TOKENS} tokens`);
    if (bytes.length > MAX_REPLAY_BYTES)
      throw wrong('question.replay.body', `is longer than ${MAX_REPLAY_BYTES} bytes`);
    if (headerLength > bytes.length) throw wrong('question.replay.header_length', 'is longer than the body');
  }
  if (body.$case === 'weights' && body.value.worker >= MAX_WORKER)
    throw wrong('question.weights.worker', `must be below ${MAX_WORKER}`);
  if (body.$case === 'block' && !STATISTIC.test(body.value.statistic))
    throw wrong('question.block.statistic', 'must be 1 to 400 characters, none of them a control character');
  return body;
}

function checkText(text: string, field: string): void {
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) throw wrong(field, `is longer than ${MAX_NAME_BYTES} bytes`);
}

function wrong(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}

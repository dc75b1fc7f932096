import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../harness/paths.js';
import { python, startTriton } from '../../inference/servers.js';
import type { Kind, Replica } from './deployment.js';
import type { Harming } from './play.js';
import type { Round } from './rounds.js';
import type { Ask } from './users.js';

const run = promisify(execFile);
const FLIP = join(ROOT, 'tests/fixtures/triton/flip_weight.py');
const FLIP_MS = 60_000;
const ASK_MS = 60_000;
const HEADERS = { 'content-type': 'application/json', 'accept-encoding': 'identity' };

/** The model "tokens" of the tests: 64 tokens, each a row of 32 weights. */
export const TRITON_MODEL = { numbers: 64 * 32, tokens: 64 };

/** Triton with a model of its Python backend: the sidecar looks at tensors, and replicas compute them again. */
export const TRITON: Kind = {
  settings: {
    ...{ framework: 'triton', sampling_rate: 1 },
    // It is asked no canaries; their interval says how many questions it answers for comparisons.
    canary: { interval_s: 1 },
    // Python could read anything; this model does not.
    replay: { interval_s: 1, pure_models: ['tokens'] },
  },
  rounds: ['replay'],
  start: (_config, _name, http) => startTriton({ http }),
};

/** A request of a user: tensors in JSON. */
export function drawTensors(next: () => number): Ask {
  const tokens = Array.from({ length: 1 + Math.floor(next() * 8) }, () => Math.floor(next() * TRITON_MODEL.tokens));
  return async (url) => {
    await logitsOf(url, tokens);
  };
}

/** Logits after each token, as the server wrote them. @throws Error where it answers with an error */
export async function logitsOf(url: string, tokens: readonly number[]): Promise<string> {
  const inputs = [{ name: 'tokens', shape: [1, tokens.length], datatype: 'INT64', data: tokens }];
  const answer = await fetch(`${url}/v2/models/tokens/infer`, {
    ...{ method: 'POST', body: JSON.stringify({ inputs }), headers: HEADERS },
    signal: AbortSignal.timeout(ASK_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return text;
}

/** Flips the bit of a round in the memory of a replica. @param right what all answer to `tokens` */
export async function harmTriton(
  { server }: Replica,
  round: Round,
  tokens: readonly number[],
  right: string,
): Promise<Harming> {
  const interpreter = await python('triton');
  const turn = async () => {
    if (!('at' in round)) return;
    const place = [server.process.pid, round.at, round.bit].map(String);
    await run(interpreter, [FLIP, ...place], { timeout: FLIP_MS });
  };
  return {
    ...{ begin: turn, end: turn },
    // It has no canaries.
    changed: async () => ({ canary: false, user: (await logitsOf(server.url, tokens)) !== right }),
  };
}

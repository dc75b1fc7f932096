import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { ROOT } from '../../harness/paths.js';
import { startVllm, TINY, withLibrary } from '../../inference/servers.js';
import type { Kind, Replica } from './deployment.js';
import type { Harming } from './play.js';
import { answersOf, CANARIES, drawPrompt } from './questions.js';
import type { Round } from './rounds.js';
import type { Ask } from './users.js';

const FAULTS = join(ROOT, 'tests/fixtures/vllm');
const MAX_TOKENS = 8;
const ASK_MS = 120_000;

/** vLLM with the library in it. Detectors run often, so that rounds follow each other soon. @param folder empty */
export function vllmKind(folder: string): Kind {
  const prompts = join(folder, 'prompts');
  writeFileSync(prompts, CANARIES.join('\n'));
  const canary = { interval_s: 1, prompts_file: prompts };
  return {
    settings: { framework: 'vllm', sampling_rate: 0.5, canary, replay: { interval_s: 2 }, weights: { interval_s: 1 } },
    rounds: ['canary', 'replay', 'weights'],
    start: async (config, name, port) => {
      // One file for monitor and library, as on a node.
      const library = await withLibrary(join(folder, name), config);
      return startVllm({
        args: ['--worker-extension-cls', 'memory_faults.MemoryFaults'],
        env: { ...library, VLLM_SERVER_DEV_MODE: '1', PYTHONPATH: `${library.PYTHONPATH}:${FAULTS}` },
        port,
      });
    },
  };
}

/** A request of a user by the client of OpenAI: half of them chats. */
export function drawOpenAi(next: () => number): Ask {
  const [prompt, chat] = [drawPrompt(next), next() < 0.5];
  const common = { model: TINY, max_tokens: MAX_TOKENS, temperature: 1 };
  return async (url) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: ASK_MS });
    if (chat) await client.chat.completions.create({ ...common, messages: [{ role: 'user', content: prompt }] });
    else await client.completions.create({ ...common, prompt });
  };
}

/** Does to a replica what a round says. @param right what all answer to the prompts, the canaries first */
export async function harmVllm(
  replica: Replica,
  round: Round,
  prompts: readonly string[],
  right: readonly (string | null)[],
): Promise<Harming> {
  const place = 'at' in round ? await inWorker<number>(replica, 'find', round.at, round.copy) : 0;
  const turn = () => ('at' in round ? inWorker<void>(replica, 'flip', place, round.bit) : Promise.resolve());
  return {
    begin: () => (round.harm === 'logit' ? inWorker(replica, 'perturb', round.row, round.size) : turn()),
    end: () => (round.harm === 'logit' ? inWorker(replica, 'repair') : turn()),
    changed: async () => {
      const answers = await answersOf(replica.server.url, prompts);
      const differs = answers.map((answer, k) => answer !== right[k]);
      return {
        canary: differs.slice(0, CANARIES.length).some(Boolean),
        user: differs.slice(CANARIES.length).some(Boolean),
      };
    },
  };
}

/** Calls a function of tests/fixtures/vllm/memory_faults.py in the worker. */
export async function inWorker<T>({ server }: Replica, method: string, ...args: readonly number[]): Promise<T> {
  const body = JSON.stringify({ method, args: args.map(String) });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/collective_rpc`, { method: 'POST', headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${text}`);
  return (text === '' ? undefined : (JSON.parse(text) as { results: [T] }).results[0]) as T;
}

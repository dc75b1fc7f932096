import { TINY } from '../../inference/servers.js';

/** Canaries of the bench: its own, so that it can ask them itself. */
export const CANARIES: readonly string[] = [
  'The capital of France is',
  'Count from one to twenty in words: one, two, three,',
  'the quick brown fox jumps over',
  'silent data corruption in a fleet of accelerators',
  '0.1 + 0.2 = 0.3 and 1/3 = 0.333 and pi = 3.14159',
  'every probe verifies arithmetic on each multiprocessor and',
  'def fibonacci(n): return n if n < 2 else',
  'It was a bright cold day, and the clocks were striking',
];

const WORDS =
  'what how why does the a of in silent data quick lazy brown fox fleet probe arithmetic cold weights answer seven 42 x+y München train stop'.split(
    ' ',
  );
const TOKENS = 16;
const ASK_MS = 120_000;

/** A request of a user: so many words, drawn. */
export function drawPrompt(next: () => number): string {
  const count = 3 + Math.floor(next() * 10);
  return Array.from({ length: count }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ');
}

let asked = 0;

/**
 * Answers of a server to prompts, asked directly: text and the bits of every probability, nothing from a cache. Null = it answered with an
 * error, as to probabilities that are no numbers.
 */
export function answersOf(url: string, prompts: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(
    prompts.map(async (prompt) => {
      asked += 1;
      const own = { model: TINY, prompt, max_tokens: TOKENS, cache_salt: `bench ${asked}` };
      const body = JSON.stringify({ ...own, temperature: 0, logprobs: 1, echo: true, ignore_eos: true });
      const answer = await fetch(`${url}/v1/completions`, {
        ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
        signal: AbortSignal.timeout(ASK_MS),
      });
      if (!answer.ok) return null;
      const { choices } = (await answer.json()) as {
        choices: [{ text: string; logprobs: { token_logprobs: (number | null)[] } }];
      };
      return JSON.stringify([choices[0].text, choices[0].logprobs.token_logprobs]);
    }),
  );
}

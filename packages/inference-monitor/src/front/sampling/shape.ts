/** How a server writes what it was not asked for, learned from an answer to an unchanged request. */
export interface Shape {
  /** Where `logprobs` was not asked for: in choices with a finish_reason, and in others. */
  readonly last: 'null' | 'absent';
  readonly other: 'null' | 'absent';
  /** It knows `return_token_ids`. */
  readonly tokenIds: boolean;
}

interface Choice {
  readonly logprobs?: unknown;
  readonly finish_reason?: unknown;
  readonly token_ids?: unknown;
}

/** @param answers the answer, or its events */
export function learnShape(answers: readonly unknown[]): Shape | null {
  const choices = answers.flatMap(choicesOf);
  if (choices.length === 0 || choices.some(({ logprobs }) => logprobs !== null && logprobs !== undefined)) return null;
  const form = (of: readonly Choice[]) => (of.some((choice) => 'logprobs' in choice) ? 'null' : 'absent');
  const last = choices.filter(({ finish_reason: reason }) => typeof reason === 'string');
  const other = choices.filter(({ finish_reason: reason }) => typeof reason !== 'string');
  return {
    last: form(last.length === 0 ? choices : last),
    other: form(other.length === 0 ? choices : other),
    tokenIds: choices.some((choice) => 'token_ids' in choice),
  };
}

function choicesOf(answer: unknown): Choice[] {
  const { choices } = (answer ?? {}) as { readonly choices?: unknown };
  return Array.isArray(choices) ? choices.filter((choice) => typeof choice === 'object' && choice !== null) : [];
}

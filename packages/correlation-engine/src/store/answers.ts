import type { Socket } from 'node:net';
import type pg from 'pg';

/** For the goodbye of a connection. */
const GOODBYE_MS = 1_000;

/** The server was asked and said nothing: it hangs, or what lies between does. Whether it did what was asked is not known. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code = 'ETIMEDOUT';

  constructor(withinMs: number) {
    super(`no answer within ${withinMs} ms`);
  }
}

/**
 * Ends a connection on which a statement is not answered in time. The limits of statements are kept by the server alone; one that
 * hangs keeps none, and TCP waits for hours.
 * @param withinMs as it is when a statement is sent
 */
export function expectAnswers(client: pg.ClientBase, withinMs: () => number): void {
  const ask = client.query.bind(client) as (...asked: unknown[]) => unknown;
  client.query = ((...asked: unknown[]) => {
    const answer = ask(...asked);
    if (answer instanceof Promise) watch(client, answer, withinMs());
    return answer;
  }) as typeof client.query;
}

/** An answer may be there, unread, where this process stood still: it is read before the connection counts as one that says nothing. */
function watch(client: pg.ClientBase, answer: Promise<unknown>, withinMs: number): void {
  let answered = false;
  const giveUp = (): void => {
    if (!answered) socketOf(client).destroy(new NoAnswerError(withinMs));
  };
  const timer = setTimeout(() => setImmediate(giveUp), withinMs);
  const done = (): void => {
    answered = true;
    clearTimeout(timer);
  };
  answer.then(done, done);
}

/** Closes a connection, whether or not the server answers. */
export async function closeConnection(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => socketOf(client).destroy(), GOODBYE_MS);
  await client.end().catch(() => {});
  clearTimeout(timer);
}

function socketOf(client: pg.ClientBase): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

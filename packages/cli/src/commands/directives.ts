import { setTimeout as sleep } from 'node:timers/promises';
import {
  FleetDirective_Action as Action,
  type DirectiveCursor,
  type FleetDirective,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { failureOf, usageError } from '../failure.js';
import { jsonText, toJson } from '../json.js';
import { cursorText, directiveLine, enumName, paint } from '../views/index.js';

const RETRY_MS = 1_000;
const CURSOR = /^(\d{1,16})\.(\d{1,10})$/;

export interface DirectivesFlags {
  /** Cursor of the last directive that was seen. */
  readonly after?: string | undefined;
  readonly fromNow: boolean;
  /** Ends once everything stored was printed. */
  readonly once: boolean;
}

/**
 * Prints what orchestrators are told, each once, until Ctrl-C. A service that goes away later is waited for, and the stream goes
 * on where it was.
 */
export async function directives(context: Context, { after, fromNow, once }: DirectivesFlags): Promise<number> {
  if (after !== undefined && fromNow) throw usageError('--from-now', 'give --after or --from-now, not both');
  let cursor = after === undefined ? undefined : readCursor(after);
  let away = '';
  while (!context.signal.aborted) {
    try {
      for await (const { message } of context
        .engine()
        .directives({ after: cursor, fromNow: fromNow && cursor === undefined }, context.signal)) {
        away = '';
        if (message?.$case === 'directive') say(context, message.value);
        cursor = message?.value.cursor ?? cursor;
        if (once && message?.$case === 'caughtUp') return EXIT.ok;
      }
    } catch (error) {
      if (cursor === undefined || SentinelError.from(error).code === 'OUT_OF_RANGE') throw error;
      const { sentence } = failureOf(error);
      if (away !== sentence) context.stderr.write(`${paint('yellow', sentence)}\n`);
      away = sentence;
    }
    await sleep(RETRY_MS, undefined, { signal: context.signal }).catch(() => undefined);
  }
  return EXIT.ok;
}

function say({ json, stdout }: Context, directive: FleetDirective): void {
  const cursor = cursorText(directive.cursor);
  const named = { ...directive, cursor, action: enumName(Action, directive.action) };
  stdout.write(`${json ? jsonText(toJson(named)) : directiveLine(directive)}\n`);
}

function readCursor(text: string): DirectiveCursor {
  const [, commitSeq, ordinal] = CURSOR.exec(text) ?? [];
  if (commitSeq === undefined) throw usageError('--after', `${text} is no cursor`, 'Give one as printed: 1234.0.');
  return { commitSeq: BigInt(commitSeq), ordinal: Number(ordinal) };
}

import {
  httpSource,
  type LogSource,
  SourceError,
  type VerifierKey,
  type VerifyReport,
  verifyLog,
} from '@sentinel/audit-ledger/verify';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import type { Endpoints } from '../endpoints.js';
import { httpFetch } from '../http-fetch.js';
import { keyOfFlag, Pin, type TrustedKey } from '../pinned-key.js';
import { plainly } from '../views/index.js';
import { type Verification, verificationText } from '../views/verification.js';

export interface VerifyQuestion {
  /** Undefined = the pinned one, or at first use what the ledger says. */
  readonly key: string | undefined;
  /** Newest entries; undefined = all. */
  readonly depth: number | undefined;
  /** Also holds details against their commitments. */
  readonly full: boolean;
}

/** Recomputes the log from what it publishes over HTTP. 0 = as signed, 1 = tampering, 69 = could not be verified. */
export async function auditVerify(context: Context, question: VerifyQuestion): Promise<number> {
  const pin = new Pin(context.endpoints, context.dataDir);
  const trusted = await keyFor(context, pin, question.key);
  const known = pin.checkpoint(trusted.key);
  const report = await verified(context, pin.newest(trusted.key), question, known);
  const kept = report.ok && keep(pin, trusted, report);
  const verification: Verification = { report, trusted, known, full: question.full, kept };
  context.answer(jsonOf(verification), () => verificationText(plainly(verification)));
  return report.ok ? EXIT.ok : EXIT.negative;
}

async function keyFor(context: Context, pin: Pin, flag: string | undefined): Promise<TrustedKey> {
  if (flag !== undefined) return { key: keyOfFlag(flag), from: 'flag' };
  const pinned = pin.read();
  if (pinned !== null) return { key: pinned, from: 'pinned' };
  const { verifierKey } = await context.ledger().checkpoint();
  return { key: keyOfFlag(verifierKey), from: 'first use' };
}

async function verified(
  context: Context,
  key: VerifierKey,
  { depth, full }: VerifyQuestion,
  known: Verification['known'],
): Promise<VerifyReport> {
  try {
    return await verifyLog(source(context.endpoints, full), key, {
      ...(depth === undefined ? {} : { depth }),
      ...(known === null ? {} : { known }),
    });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `nothing was verified: ${error.message}`,
      hint: 'Start the ledger with npm start, or say where its HTTP port is with --ledger-http.',
      cause: error,
    });
  }
}

function source({ ledger, tls }: Endpoints, full: boolean): LogSource {
  const base = `${tls === undefined ? 'http' : 'https'}://${ledger.http}`;
  const { openings, ...published } = httpSource(base, httpFetch(tls ?? null));
  return full && openings !== undefined ? { ...published, openings } : published;
}

/** Only what verified is remembered, and a key of a flag is not this installation's. */
function keep(pin: Pin, { key, from }: TrustedKey, { checkpoint, followed }: VerifyReport): boolean {
  if (from === 'flag' || checkpoint === undefined) return false;
  const rotations = [...pin.rotations(key), ...(followed?.rotations ?? []).map(({ note }) => note)];
  return (from === 'pinned' || pin.keep(key)) && pin.keepCheckpoint(key, checkpoint, rotations);
}

function jsonOf({ report, trusted, known, full }: Verification) {
  const { checkpoint, ok, firstSeq, entries, details, prunedDetails, prunedLeaves, findings, found } = report;
  return {
    ok,
    key: trusted.key.text,
    keyFrom: trusted.from,
    signedBy: report.followed?.key.text ?? null,
    checkpoint: checkpoint ?? null,
    firstSeq,
    entries,
    details: full ? details : null,
    prunedDetails: prunedDetails ?? null,
    prunedEntries: prunedLeaves ?? null,
    extendsSize: known?.size ?? null,
    found,
    findings,
  };
}

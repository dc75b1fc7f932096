/** What a verification showed, as an in-toto Statement v1 about the tree that was verified. */
import type { JsonValue } from '../detail/canonical.js';
import type { PrunedRange } from '../verify/pruned-check.js';
import type { VerifyReport } from '../verify/verify-log.js';

export const STATEMENT_TYPE = 'application/vnd.in-toto+json';
export const IN_TOTO = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'urn:sentinel:audit-log-verification:v1';
/** Findings that the statement names; their number is exact. */
const MAX_NAMED = 100;

export interface Attested {
  readonly report: VerifyReport;
  /** The signed checkpoint under which it was verified. */
  readonly note: string;
  /** Key that the log was verified by. */
  readonly logKey: string;
  readonly nowMs: number;
  readonly version: string;
}

export interface Statement {
  readonly _type: typeof IN_TOTO;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly [algorithm: string]: string } }[];
  readonly predicateType: typeof PREDICATE_TYPE;
  readonly predicate: { readonly [name: string]: JsonValue };
}

export function statementOf({ report, note, logKey, nowMs, version }: Attested): Statement {
  const { checkpoint, firstSeq, entries, details, prunedDetails, prunedLeaves, findings, found, ok } = report;
  const gone = (prunedLeaves?.count ?? 0) + (prunedDetails?.count ?? 0);
  return {
    _type: IN_TOTO,
    subject: [
      {
        name: checkpoint?.origin ?? 'unknown log',
        digest: { sha256: Buffer.from(checkpoint?.root ?? []).toString('hex') },
      },
    ],
    predicateType: PREDICATE_TYPE,
    predicate: {
      checkpoint: note,
      findings: findings.slice(0, MAX_NAMED).map(({ seq, what }) => ({ seq, what })),
      findings_total: found,
      log_key: logKey,
      pruned: { details: rangeJson(prunedDetails), entries: rangeJson(prunedLeaves) },
      result: ok ? 'PASSED' : 'FAILED',
      verified: {
        details,
        entries: entries - (prunedLeaves?.count ?? 0),
        first: firstSeq,
        last: firstSeq + entries - 1,
      },
      verified_at: new Date(nowMs).toISOString(),
      verifier: { name: 'sentinel-audit-ledger', version },
      ...(gone === 0 ? {} : { pruned_note: 'of pruned entries only the hashes were verified' }),
    },
  };
}

function rangeJson(range: PrunedRange | undefined): JsonValue {
  return range === undefined ? null : { ...range };
}

/** Undefined for anything else. */
export function parseStatement(payload: Buffer): Statement | undefined {
  try {
    const value = JSON.parse(payload.toString('utf8')) as Partial<Statement>;
    const known = value._type === IN_TOTO && value.predicateType === PREDICATE_TYPE && Array.isArray(value.subject);
    return known && typeof value.predicate === 'object' ? (value as Statement) : undefined;
  } catch {
    return undefined;
  }
}

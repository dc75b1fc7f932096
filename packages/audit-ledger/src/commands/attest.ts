import { readFileSync, writeFileSync } from 'node:fs';
import type { Streams } from '@sentinel/service-kit/config';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { VERSION } from '@sentinel/service-kit/version';
import { EnvelopeError, openEnvelope, sealEnvelope } from '../attest/envelope.js';
import { parseStatement, STATEMENT_TYPE, type Statement, statementOf } from '../attest/statement.js';
import { canonicalJson, type JsonValue } from '../detail/canonical.js';
import { openCheckpoint } from '../note/checkpoint.js';
import { MalformedKeyError, parseVerifierKey, type VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { attestationKeyOf, attestationVerifierOf } from '../settings.js';
import type { VerifyReport } from '../verify/verify-log.js';
import type { Command, LedgerProgram } from './index.js';

/** Writes a signed statement of what `report` says to --output. */
export function attest(
  { config, flags }: LedgerProgram,
  { stdout }: Streams,
  verified: { readonly report: VerifyReport; readonly note: string; readonly logKey: string },
): void {
  const key = attestationKeyOf(config);
  if (flags.output === undefined) throw usage('--output', '--attest needs --output FILE');
  const statement = statementOf({ ...verified, nowMs: Date.now(), version: VERSION });
  const payload = Buffer.from(canonicalJson(statement as unknown as JsonValue));
  writeFileSync(flags.output, `${JSON.stringify(sealEnvelope(STATEMENT_TYPE, payload, key))}\n`, { flag: 'wx' });
  stdout.write(`attested: ${flags.output}, signed by ${key.verifier.text}\n`);
}

/** verify-attestation FILE: 0 somebody signed that the log verified, 1 it is forged or says that it did not. */
export const verifyAttestation: Command = ({ config, flags, positionals }, { stdout }) => {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw usage('FILE', 'verify-attestation needs one FILE');
  const key = flags.key === undefined ? attestationVerifierOf(config) : keyOf(flags.key);
  try {
    const statement = parseStatement(openEnvelope(textOf(file), STATEMENT_TYPE, key));
    if (statement === undefined) throw new EnvelopeError('it states no verification of an audit log');
    assertCheckpoint(statement);
    stdout.write(sentences(statement, key));
    return statement.predicate['result'] === 'PASSED' ? EXIT.ok : EXIT.negative;
  } catch (error) {
    if (!(error instanceof EnvelopeError || error instanceof NoteError)) throw error;
    stdout.write(`NOT VALID: ${error.message}\n`);
    return EXIT.negative;
  }
};

/** The checkpoint inside must be one that the named log key signed, of the very root that the statement is about. */
function assertCheckpoint({ subject, predicate }: Statement): void {
  const { root } = openCheckpoint(String(predicate['checkpoint']), keyOf(String(predicate['log_key'])));
  if (subject[0]?.digest['sha256'] !== Buffer.from(root).toString('hex'))
    throw new EnvelopeError('its subject is not the root of its checkpoint');
}

function sentences({ subject, predicate }: Statement, key: VerifierKey): string {
  const { result, verified, pruned, verified_at: at, verifier, log_key: logKey, findings_total: found } = predicate;
  const lines = [
    `${result === 'PASSED' ? 'valid: the log verified' : `valid: the log did NOT verify, ${String(found)} findings`}`,
    `  log       ${subject[0]?.name ?? ''}, verified by the key ${String(logKey)}`,
    `  verified  ${canonicalJson(verified ?? null)}`,
    `  pruned    ${canonicalJson(pruned ?? null)}`,
    `  when      ${String(at)}, by ${canonicalJson(verifier ?? null)}`,
    `  signed    ${key.text}`,
  ];
  return `${lines.join('\n')}\n`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `cannot read ${file} (${(cause as Error).message})`,
      cause,
    });
  }
}

function keyOf(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (error instanceof MalformedKeyError) throw usage('--key', error.message);
    throw error;
  }
}

function usage(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}

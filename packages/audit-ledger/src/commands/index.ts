/** Commands beside the service itself. */
import type { CommandSpecs, FlagSpecs, LoadedConfig, Streams } from '@sentinel/service-kit/config';
import { EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { publicOpenError } from '../open-errors.js';
import { SourceError } from '../verify/source.js';
import { verifyAttestation } from './attest.js';
import { auditReport } from './audit-report.js';
import { exportRange } from './export.js';
import { fsck } from './fsck.js';
import { hammer } from './hammer.js';
import { hold } from './hold.js';
import { keygen } from './keygen.js';
import { migrate } from './migrate.js';
import { proof } from './proof.js';
import { prune } from './prune.js';
import { repair } from './repair.js';
import { verify } from './verify.js';

export const FLAGS = {
  mode: {
    type: 'string',
    choices: ['writer', 'reader'],
    help: 'writer takes entries, reader serves what a writer stored [writer]',
  },
  'accept-rollback': {
    type: 'boolean',
    help: 'writer: starts on a log that is older than its last checkpoint, and records that; reader: begins anew after a forked log',
  },
  'new-log': {
    type: 'boolean',
    help: 'writer, once: begins a log by a key that never signed one, where its file does not say so (a mounted secret, a value)',
  },
  depth: { type: 'integer', min: 1, help: 'verify: the newest N entries' },
  full: { type: 'boolean', help: 'verify: every entry' },
  from: {
    type: 'string',
    value: 'SEQ|TIME|COPY',
    help: 'export, report: first entry, by number, date or UTC time at which it was taken [0]; repair: an export, the data folder of a log, or http://HOST:PORT of a ledger [verification.repair_from]',
  },
  to: {
    type: 'string',
    value: 'SEQ|TIME',
    help: 'export, report: last entry; a date is included, a time is not [the newest]',
  },
  output: {
    type: 'string',
    value: 'PATH',
    help: 'export: a new folder, or a file that ends in .tar; report: a new file [standard output]',
  },
  format: { type: 'string', choices: ['json', 'csv', 'pdf'], help: 'report: how it is written [json]' },
  evidence: {
    type: 'string',
    value: 'PATH',
    help: 'report: where the evidence goes, as export writes it; none = nowhere [sentinel-FRAMEWORK-evidence.tar]',
  },
  'from-export': { type: 'string', value: 'PATH', help: 'verify: an export in place of the log' },
  key: { type: 'string', value: 'KEY', help: "verify --from-export: the log's verifier key [the configured one]" },
  attest: {
    type: 'boolean',
    help: 'verify: writes a signed statement of what was verified to --output (in-toto, DSSE)',
  },
  attestation: {
    type: 'boolean',
    help: 'keygen: makes the key that signs attestations, and prints it for other tools too',
  },
  'attestation-key': {
    type: 'string',
    value: 'VERIFIER_KEY',
    help: 'verify --from-export: by which the copy has to be signed as made by somebody',
  },
  rotate: {
    type: 'boolean',
    help: 'keygen: the key hands the log over to a new one, in the writer that is running, without a gap for its clients',
  },
  'dry-run': {
    type: 'boolean',
    help: 'prune: shows what would go, and the token that confirms it; repair: shows what is damaged and what mends it',
  },
  before: { type: 'string', value: 'DATE', help: 'prune: entries taken before, as 2026-01-31 or 365d' },
  leaves: { type: 'boolean', help: 'prune: the entries too, not only their details; their hashes stay' },
  confirm: { type: 'string', value: 'TOKEN', help: 'prune: does what the dry run with this token showed' },
  gpu: { type: 'string', value: 'GPU', help: 'hold add: entries of this GPU' },
  producer: { type: 'string', value: 'NAME', help: 'hold add: entries of this producer' },
  reason: { type: 'string', value: 'TEXT', help: 'hold: why, for the log' },
  address: {
    type: 'string',
    value: 'HOST:PORT',
    help: 'prune, hold, repair, keygen --rotate: where the running writer serves gRPC [listen_address]',
  },
  down: { type: 'boolean', help: 'migrate: takes the newest step back, with all that it holds; needs --yes' },
  yes: { type: 'boolean', help: 'migrate --down: really; the log is lost' },
  endpoint: { type: 'string', value: 'HOST:PORT', help: 'hammer: the ledger [audit_ledger.listen_address]' },
  rate: {
    type: 'integer',
    min: 0,
    max: 1_000_000,
    help: 'hammer: entries a second, 0 = as fast as they are taken [1000]',
  },
  duration: { type: 'integer', min: 1, max: 86_400, help: 'hammer: seconds [30]' },
  producers: { type: 'integer', min: 1, max: 256, help: 'hammer: senders, each with its own connection [4]' },
  'write-test-entries': {
    type: 'boolean',
    help: 'hammer: really; its entries, marked INJECTED, stay in the log for ever',
  },
  verbose: { type: 'boolean', help: 'verify: shows progress and every finding' },
} as const satisfies FlagSpecs;

export const COMMANDS = {
  keygen: 'makes the signing key in the file of signing_key_path and prints its verifier key',
  verify:
    'recomputes stored entries up to the signed checkpoint: --depth N or --full; 0 ok, 1 tampering, 69 could not verify',
  export: 'copies entries --from --to with all that proves them to --output, for whoever verifies offline',
  report: 'soc2|iso27001: what the log shows --from --to, with a pack of evidence that verifies itself',
  proof: 'SEQ: prints an entry with its proof (C2SP tlog-proof)',
  migrate:
    'makes the tables of a log in a cluster, which a writer does too when it starts; --down removes them; status says where they stand and ends with 1 where a step is missing',
  prune: 'takes details away that are older than --before: --dry-run first, then --confirm; 1 nothing would go',
  hold: 'add | list | remove ID: what no pruning takes, by --gpu, --producer, --from and --to, with a --reason',
  repair:
    'puts damaged entries back as they were signed, out of --from, and records that: --dry-run first; 0 all is well, 1 something is not mended',
  'verify-attestation': 'FILE: whether it is signed by the attestation key, and what it says; --key for another key',
  fsck: 'checks the files of the log against its head, without the signing key',
  hammer:
    'loads a running ledger with test entries and checks every acknowledgement: --write-test-entries, --endpoint, --rate, --duration, --producers; 0 ok, 1 a promise was broken',
} as const satisfies CommandSpecs;

/** The store alone is asked. */
export const NEEDS = { migrate: ['storage', 'data_dir'] } as const;

export type LedgerProgram = LoadedConfig<'audit_ledger', typeof FLAGS>;
export type Command = (program: LedgerProgram, streams: Streams) => Promise<number> | number;

const RUN: Readonly<Record<keyof typeof COMMANDS, Command>> = {
  keygen,
  verify,
  export: exportRange,
  report: auditReport,
  proof,
  migrate,
  prune,
  hold,
  repair,
  'verify-attestation': verifyAttestation,
  fsck,
  hammer,
};

/** @returns the exit status */
export async function runCommand(program: LedgerProgram, streams: Streams): Promise<number> {
  try {
    return await commandOf(program)(program, streams);
  } catch (thrown) {
    const known =
      thrown instanceof SourceError
        ? new SentinelError({ code: 'UNAVAILABLE', message: thrown.message })
        : SentinelError.from(publicOpenError(thrown));
    streams.stderr.write(`${known.sentence}\n`);
    return statusOf(known, program.command);
  }
}

/** Of `verify`, 1 says that the log was tampered with, and nothing else does. */
function statusOf(error: SentinelError, command: string | undefined): number {
  const isSetting = error.code === 'FAILED_PRECONDITION' && error.field.startsWith('audit_ledger.');
  const status = isSetting ? EXIT.configuration : exitStatus(error);
  return command === 'verify' && status === EXIT.negative ? EXIT.unavailable : status;
}

function commandOf({ command }: LedgerProgram): Command {
  if (command !== undefined && command in RUN) return RUN[command as keyof typeof RUN];
  return (_program, { stderr }) => {
    stderr.write(`unknown command ${command ?? ''}\n`);
    return EXIT.usage;
  };
}

import { randomBytes, randomUUID } from 'node:crypto';
import { SentinelError } from '@sentinel/service-kit/errors';
import { landmarkDraft } from '../commit/system-entries.js';
import { nextKey, retiredPath, turnKeys, writeSigningKey } from '../note/key-file.js';
import { publicKeyPem } from '../note/keys.js';
import { signRotation } from '../note/rotation.js';
import { openLedger } from '../open-ledger.js';
import { writerKeyOf } from '../settings.js';
import { TamperedStoreError } from '../storage/errors.js';
import { selectBackend } from '../storage/select-backend.js';
import type { Command, LedgerProgram } from './index.js';

/** Never replaces a key: the log it signed could not be continued. With --rotate that key hands over to a new one. */
export const keygen: Command = async (program, { stdout }) => {
  const { config, flags } = program;
  if (flags.attestation) {
    const path = fileOf(config.attestation_signing_key_path, 'attestation_signing_key_path');
    const verifier = writeSigningKey(path, `sentinel-attestation/${randomUUID()}`);
    stdout.write(`${verifier}\n${publicKeyPem(verifier)}`);
    return 0;
  }
  const file = fileOf(config.signing_key_path, 'signing_key_path');
  if (!flags.rotate) {
    stdout.write(`${writeSigningKey(file, config.origin)}\n`);
    return 0;
  }
  stdout.write(`${await rotate(program, file)}\n`);
  stdout.write(`The old key goes on signing beside it until ${retiredPath(file)} is removed.\n`);
  return 0;
};

function fileOf(path: string, key: string): string {
  if (path !== '') return path;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: `audit_ledger.${key}`,
    message: `${key} is not set`,
    hint: 'Set it to the file that shall hold the key.',
  });
}

/** To be repeated after a crash at any point: the next key is made once, and what it has taken over it keeps. */
async function rotate({ config }: LedgerProgram, file: string): Promise<string> {
  const old = writerKeyOf(config);
  const next = nextKey(file, old.verifier.name);
  const both = { ...next, cosigners: [old, ...(old.cosigners ?? [])] };
  const nowUs = (): number => Date.now() * 1000;
  const ignore = (): void => undefined;
  const options = {
    backend: selectBackend(config),
    acceptRollback: false,
    groupEntries: config.chain.batch_size,
    nowUs,
    randomBytes,
    events: { committed: ignore, refused: ignore, diverged: ignore, checkpointNotKept: ignore, fatal: ignore },
  };
  // A crash after the entry, before the files were turned: the log is the next key's already.
  const opened = await openLedger({ ...options, key: old }).catch(async (error: unknown) => {
    if (!(error instanceof TamperedStoreError)) throw error;
    return await openLedger({ ...options, key: both });
  });
  try {
    const { ledger, store } = opened;
    if (ledger.signer === old.verifier.text) {
      // Before the entry, so that wherever a crash comes the newest checkpoint opens by the key that the log is then of.
      await ledger.signBy(both);
      const note = signRotation(old, next, store.head.size);
      const detail = { new_key: next.verifier.text, note, old_key: old.verifier.text };
      await ledger.record(landmarkDraft('key_rotation', detail, store.head, nowUs(), randomBytes(16)));
    }
    turnKeys(file);
  } finally {
    await opened.close();
  }
  return next.verifier.text;
}

import type { Streams } from '@sentinel/service-kit/config';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { openArchive } from '../archive/reader.js';
import { MalformedTarError } from '../archive/tar.js';
import { exportText } from '../auditor/export-text.js';
import { verifyExport } from '../export/verify-export.js';
import { MalformedKeyError, parseVerifierKey, type VerifierKey } from '../note/keys.js';
import { verifierKeyOf } from '../settings.js';
import type { LedgerProgram } from './index.js';
import { progress } from './report.js';

/** `verify --from-export`: needs no log, and the key of --key or else the configured one. @returns the exit status */
export async function verifyExportAt(path: string, program: LedgerProgram, streams: Streams): Promise<number> {
  const { flags } = program;
  const key = flags.key === undefined ? verifierKeyOf(program.config) : keyOf(flags.key, '--key');
  const attestation = flags['attestation-key'];
  try {
    const archive = await openArchive(path);
    try {
      const report = await verifyExport(archive, key, {
        progress: flags.verbose ? progress(streams) : undefined,
        attestationKey: attestation === undefined ? undefined : keyOf(attestation, '--attestation-key'),
      });
      streams.stdout.write(exportText(report, flags.verbose));
      return report.ok ? EXIT.ok : EXIT.negative;
    } finally {
      await archive.close();
    }
  } catch (error) {
    if (!(error instanceof MalformedTarError)) throw error;
    streams.stdout.write(`TAMPERED: 1 finding\n  ${path}: ${error.message}\n`);
    return EXIT.negative;
  }
}

function keyOf(text: string, field: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    if (!(cause instanceof MalformedKeyError)) throw cause;
    throw new SentinelError({ code: 'INVALID_ARGUMENT', field, message: cause.message });
  }
}

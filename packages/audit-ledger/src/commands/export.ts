import { SentinelError } from '@sentinel/service-kit/errors';
import { openArchive } from '../archive/reader.js';
import { createArchive } from '../archive/writer.js';
import { exportLog } from '../export/export-log.js';
import { offlineFiles } from '../export/offline-files.js';
import { rangeOf } from '../export/period.js';
import { verifyExport } from '../export/verify-export.js';
import { openCheckpoint } from '../note/checkpoint.js';
import { verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import { printExportReport } from './export-report.js';
import type { Command } from './index.js';
import { progress } from './report.js';

/** Copies a range of the log, and then verifies the copy as whoever gets it will. */
export const exportRange: Command = async ({ config, flags }, streams) => {
  const { from, to, output } = flags;
  if (output === undefined) {
    const message = 'export needs --output, a folder that does not exist yet or a name that ends in .tar';
    throw new SentinelError({ code: 'INVALID_ARGUMENT', field: '--output', message });
  }
  const verifier = verifierKeyOf(config);
  const source = await selectBackend(config).openSource();
  try {
    const note = await source.checkpoint();
    const checkpoint = openCheckpoint(note, verifier);
    const range = await rangeOf({ from, to }, source, checkpoint.size);
    const archive = await createArchive(output);
    await exportLog({ source, note, checkpoint, verifierKey: verifier.text, range, archive, extras: offlineFiles });
  } finally {
    await source.close();
  }
  const copy = await openArchive(output);
  try {
    const report = await verifyExport(copy, verifier, flags.verbose ? progress(streams) : undefined);
    return printExportReport(report, streams, flags.verbose);
  } finally {
    await copy.close();
  }
};

import { SentinelError } from '@sentinel/service-kit/errors';
import { signingKeyOf } from '../settings.js';
import { FolderSource } from '../storage/file/folder-source.js';
import { verifyLog } from '../verify/verify-log.js';
import type { Command } from './index.js';
import { printReport, progress } from './report.js';

/** Reads the folder itself, also while a writer is at work. */
export const verify: Command = async ({ config, flags }, streams) => {
  const { depth, full, verbose } = flags;
  if (full === (depth !== undefined)) {
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: '--depth',
      message: 'verify needs either --depth N or --full',
    });
  }
  const { verifier } = signingKeyOf(config);
  const source = await FolderSource.open(config.data_dir);
  try {
    const options = { ...(depth === undefined ? {} : { depth }), ...(verbose ? { progress: progress(streams) } : {}) };
    return printReport(await verifyLog(source, verifier, options), streams, verbose);
  } finally {
    await source.close();
  }
};

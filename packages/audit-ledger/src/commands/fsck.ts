import { SentinelError } from '@sentinel/service-kit/errors';
import { FolderSource } from '../storage/file/folder-source.js';
import { HeadFile } from '../storage/file/head-file.js';
import { layoutOf } from '../storage/file/layout.js';
import { verifyAgainst } from '../verify/verify-log.js';
import type { Command } from './index.js';
import { printReport } from './report.js';

/** What the files say against what the head says; that the head is the signed one, `verify` tells. */
export const fsck: Command = async ({ config, flags }, streams) => {
  const head = await new HeadFile(layoutOf(config.data_dir).heads).read();
  if (head === undefined) throw new SentinelError({ code: 'UNAVAILABLE', message: `${config.data_dir} holds no log` });
  const source = await FolderSource.open(config.data_dir, { note: '', size: head.size });
  try {
    const checkpoint = { origin: `the head in ${config.data_dir}`, size: head.size, root: head.root };
    return printReport(await verifyAgainst(checkpoint, source, {}), streams, flags.verbose);
  } finally {
    await source.close();
  }
};

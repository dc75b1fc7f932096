import { SentinelError } from '@sentinel/service-kit/errors';
import { selectBackend } from '../storage/select-backend.js';
import { verifyAgainst } from '../verify/verify-log.js';
import type { Command } from './index.js';
import { printReport } from './report.js';

/** What is stored against what the head says; that the head is the signed one, `verify` tells. */
export const fsck: Command = async ({ config, flags }, streams) => {
  const { place, openUnsigned } = selectBackend(config);
  const found = await openUnsigned();
  if (found === undefined) throw new SentinelError({ code: 'UNAVAILABLE', message: `${place} holds no log` });
  const { source, head } = found;
  try {
    const checkpoint = { origin: `the head in ${place}`, size: head.size, root: head.root };
    return printReport(await verifyAgainst(checkpoint, source, {}), streams, flags.verbose);
  } finally {
    await source.close();
  }
};

import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { copyLog } from '../auditor/auditor.js';
import { exportText } from '../auditor/export-text.js';
import { exportMakerOf, verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import type { Command } from './index.js';
import { progress } from './report.js';

/** Copies a range of the log, and then verifies the copy as whoever gets it will. */
export const exportRange: Command = async ({ config, flags }, streams) => {
  const { from, to, output, verbose } = flags;
  if (output === undefined) {
    const message = 'export needs --output, a folder that does not exist yet or a name that ends in .tar';
    throw new SentinelError({ code: 'INVALID_ARGUMENT', field: '--output', message });
  }
  const verifier = verifierKeyOf(config);
  const source = await selectBackend(config).openSource();
  try {
    const shown = verbose ? { progress: progress(streams) } : {};
    const report = await copyLog(output, {
      source,
      verifier,
      maker: exportMakerOf(config),
      period: { from, to },
      ...shown,
    });
    streams.stdout.write(exportText(report, verbose));
    return report.ok ? EXIT.ok : EXIT.negative;
  } finally {
    await source.close();
  }
};

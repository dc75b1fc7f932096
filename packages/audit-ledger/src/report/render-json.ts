/** The report as data. Offline verifiers write the same, byte by byte. */
import { createHash } from 'node:crypto';
import type { Report } from './model.js';

export function reportJson(report: Report): Buffer {
  return Buffer.from(`${JSON.stringify(report, null, 1)}\n`);
}

/** SHA-256 in hexadecimal of `report.json`. */
export function reportDigest(report: Report): string {
  return createHash('sha256').update(reportJson(report)).digest('hex');
}

import { readFile } from 'node:fs/promises';

const KILOBYTES_PER_MEGABYTE = 1024;

/** Resident memory of a running process, in megabytes of 2^20 bytes, as Linux counts it (VmRSS in /proc). */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (resident === undefined) throw new Error(`process ${pid} has no resident memory: it has ended`);
  return Number(resident) / KILOBYTES_PER_MEGABYTE;
}

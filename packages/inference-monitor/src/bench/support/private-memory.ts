import { readFile } from 'node:fs/promises';

const KILOBYTES_PER_MEGABYTE = 1024;

/** Memory of a process that it shares with nobody (RssAnon in /proc), in megabytes of 2^20 bytes. What is mapped from files the system can take back. */
export async function privateMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kilobytes) / KILOBYTES_PER_MEGABYTE;
}

/** POSIX ustar, one way only: every byte of an archive follows from the paths and bytes in it, so that a reader can demand exactly that. */

export const TAR_BLOCK_BYTES = 512;
/** Two empty blocks end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * TAR_BLOCK_BYTES);

const NAME_BYTES = 100;
const SIZE_AT = 124;
const MAX_SIZE = 8 ** 11 - 1;

export class MalformedTarError extends Error {
  override readonly name = 'MalformedTarError';
}

/** Owner 0, mode 0644, time 0. */
export function tarHeader(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > NAME_BYTES || size > MAX_SIZE)
    throw new RangeError(`${path} does not fit into a tar header`);
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  header.write(path, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${octal(size)}\0`, SIZE_AT);
  header.write(`${octal(0)}\0`, 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** @throws MalformedTarError for a header that `tarHeader` did not write */
export function readTarHeader(header: Buffer): { path: string; size: number } {
  const end = header.indexOf(0);
  const path = header.toString('utf8', 0, end < 0 ? NAME_BYTES : Math.min(end, NAME_BYTES));
  const size = Number.parseInt(header.toString('latin1', SIZE_AT, SIZE_AT + 11), 8);
  if (!Number.isSafeInteger(size) || !fits(path) || !tarHeader(path, size).equals(header))
    throw new MalformedTarError(`header of ${printable(path)} is damaged`);
  return { path, size };
}

/** Bytes of zero that fill the last block of a file. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function fits(path: string): boolean {
  return path !== '' && Buffer.byteLength(path) <= NAME_BYTES;
}

function printable(path: string): string {
  return JSON.stringify(path.slice(0, NAME_BYTES));
}

function octal(value: number): string {
  return value.toString(8).padStart(11, '0');
}

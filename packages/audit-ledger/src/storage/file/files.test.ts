import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { writeAt } from './files.js';

/** A file that takes a few bytes at a time, as one on a nearly full disk does. */
function slowFile(bytesEach: number): { file: FileHandle; written: Buffer } {
  const written = Buffer.alloc(64);
  const write = (bytes: Uint8Array, offset: number, length: number, position: number) => {
    const bytesWritten = Math.min(length, bytesEach);
    written.set(bytes.subarray(offset, offset + bytesWritten), position);
    return Promise.resolve({ bytesWritten, buffer: bytes });
  };
  return { file: { write } as unknown as FileHandle, written };
}

describe('writeAt', () => {
  it('goes on where the disk took only a part', async () => {
    const { file, written } = slowFile(3);
    await writeAt(file, Buffer.from('0123456789'), 5);
    assert.equal(written.subarray(5, 15).toString(), '0123456789');
  });
});

import type { Writable } from 'node:stream';

/**
 * Writes to a stream, waiting while the peer does not take what was written. Resolves false once the stream can take no more.
 */
export async function writeTo<T>(stream: Writable, message: T): Promise<boolean> {
  if (!stream.writable) return false;
  if (stream.write(message)) return true;
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error', 'end']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error', 'end']) stream.once(event, done);
  });
  return stream.writable;
}

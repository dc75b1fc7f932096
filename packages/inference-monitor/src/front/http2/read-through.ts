import { type Readable, Transform, type Writable } from 'node:stream';
import { HIGH_WATER_BYTES, waitingIn } from '../memory.js';
import { heldBy, MAX_WHOLE_BYTES, type Reading } from '../sampling/plan.js';

/**
 * Brings the body of an answer to the client as its reading says, at the client's pace.
 * @param onTooLarge an answer that was to be put together passes as it comes
 * @returns gives the bytes that are kept on the way
 */
export function readThrough(
  reading: Reading,
  answer: Readable,
  client: Writable,
  onTooLarge: () => void,
): () => number {
  let gathered = 0;
  const onGathered = (bytes: number) => {
    gathered = bytes;
  };
  const through = transformOf(reading, onTooLarge, onGathered);
  pour(through === null ? answer : answer.pipe(through), client);
  return () => gathered + heldBy(reading) + (through === null ? 0 : waitingIn(through));
}

/** As `pipe`, but holds no more than `HIGH_WATER_BYTES`: a stream of HTTP/2 would take four times as much, and there are many. */
function pour(from: Readable, client: Writable): void {
  const mayFlow = () => client.writableLength < HIGH_WATER_BYTES;
  const onWritten = () => {
    if (mayFlow()) from.resume();
  };
  from.on('data', (bytes: Buffer) => {
    client.write(bytes, onWritten);
    if (!mayFlow()) from.pause();
  });
  from.on('end', () => client.end());
}

function transformOf(reading: Reading, onTooLarge: () => void, onGathered: (bytes: number) => void): Transform | null {
  switch (reading.kind) {
    case 'again':
    case 'pass':
      return null;
    case 'watch':
      return new Transform({
        transform: (data: Buffer, _, done) => {
          reading.push(data);
          done(null, data);
        },
        flush: (done) => {
          reading.end();
          done();
        },
      });
    case 'stream':
      return new Transform({
        transform: (data: Buffer, _, done) => done(null, reading.push(data)),
        flush: (done) => done(null, reading.end()),
      });
    case 'whole':
      return gathering(reading.rewrite, onTooLarge, onGathered);
  }
}

/** @param onGathered told how many bytes are kept */
function gathering(
  rewrite: (body: Buffer) => Buffer,
  onTooLarge: () => void,
  onGathered: (bytes: number) => void,
): Transform {
  let parts: Buffer[] | null = [];
  let bytes = 0;
  return new Transform({
    transform: (data: Buffer, _, done) => {
      if (parts === null) return done(null, data);
      parts.push(data);
      bytes += data.length;
      onGathered(bytes);
      if (bytes <= MAX_WHOLE_BYTES) return done();
      onTooLarge();
      onGathered(0);
      const gathered = Buffer.concat(parts);
      parts = null;
      done(null, gathered);
    },
    flush: (done) => (parts === null ? done() : done(null, rewrite(Buffer.concat(parts)))),
  });
}

import { type Readable, Transform, type Writable } from 'node:stream';
import { MAX_WHOLE_BYTES, type Reading } from '../sampling/plan.js';

/**
 * Brings the body of an answer to the client as its reading says, at the client's pace.
 * @param onTooLarge an answer that was to be put together passes as it comes
 */
export function readThrough(reading: Reading, answer: Readable, client: Writable, onTooLarge: () => void): void {
  const through = transformOf(reading, onTooLarge);
  if (through === null) answer.pipe(client);
  else answer.pipe(through).pipe(client);
}

function transformOf(reading: Reading, onTooLarge: () => void): Transform | null {
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
      return gathering(reading.rewrite, onTooLarge);
  }
}

function gathering(rewrite: (body: Buffer) => Buffer, onTooLarge: () => void): Transform {
  let parts: Buffer[] | null = [];
  let bytes = 0;
  return new Transform({
    transform: (data: Buffer, _, done) => {
      if (parts === null) return done(null, data);
      parts.push(data);
      bytes += data.length;
      if (bytes <= MAX_WHOLE_BYTES) return done();
      onTooLarge();
      const gathered = Buffer.concat(parts);
      parts = null;
      done(null, gathered);
    },
    flush: (done) => (parts === null ? done() : done(null, rewrite(Buffer.concat(parts)))),
  });
}

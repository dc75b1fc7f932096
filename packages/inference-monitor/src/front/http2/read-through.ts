import { type Readable, Transform, type Writable } from 'node:stream';
import type { Reading } from '../sampling/plan.js';

/** Brings the body of an answer to the client as its reading says, at the client's pace. */
export function readThrough(reading: Reading, answer: Readable, client: Writable): void {
  const through = transformOf(reading);
  if (through === null) answer.pipe(client);
  else answer.pipe(through).pipe(client);
}

function transformOf(reading: Reading): Transform | null {
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
      return gathering(reading.rewrite);
  }
}

function gathering(rewrite: (body: Buffer) => Buffer): Transform {
  const parts: Buffer[] = [];
  return new Transform({
    transform: (data: Buffer, _, done) => {
      parts.push(data);
      done();
    },
    flush: (done) => done(null, rewrite(Buffer.concat(parts))),
  });
}

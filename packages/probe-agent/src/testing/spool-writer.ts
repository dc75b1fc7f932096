import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { AckJournal } from '../spool/ack-journal.js';
import { openProbeSpool } from '../spool/probe-spool.js';
import { batchPayload, encoded } from './payloads.js';

// A process that writes a spool until it is killed: `spool-writer PARENT SALT MAX_BYTES JOURNAL`. Prints "SEQUENCE SHA256" of a
// record when it is durable, then acknowledges some.

const [, , parent = '', salt = '', maxBytes = '', journalFile = ''] = process.argv;
const folder = spoolFolder(parent, () => Buffer.alloc(16, 0x7a));
const journal = journalFile === '' ? null : await AckJournal.open(journalFile, folder.spoolId);
const spool = await openProbeSpool({ folder, maxBytes: Number(maxBytes), journal, onGivenUp: () => {} });
for (let k = 0; ; k += 1) {
  const payload = batchPayload(Number(salt) * 100_000 + k, 1 + (k % 30), k % 7 === 0 ? 1 : 0);
  const sequence = await spool.append(payload);
  writeSync(1, `${sequence} ${createHash('sha256').update(encoded(payload)).digest('hex')}\n`);
  if (k % 10 === 9 && sequence > 40n) await spool.acknowledge(sequence - 5n, sequence - 40n);
}

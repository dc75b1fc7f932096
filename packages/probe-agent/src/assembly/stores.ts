import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeAgentConfig } from '@sentinel/service-kit/config';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { uuidV7 } from '@sentinel/service-kit/uuid';
import { nodeFolder } from '../identity/node-folder.js';
import { AckJournal } from '../spool/ack-journal.js';
import { openProbeSpool, type ProbeSpool, type ProbeSpoolOptions } from '../spool/probe-spool.js';

/**
 * Takes the node's folder for this process alone and opens what lies in it.
 * @throws SentinelError while another agent of this node runs
 */
export async function openStores(
  config: ProbeAgentConfig,
  onGivenUp: ProbeSpoolOptions['onGivenUp'],
  stack: StopStack,
): Promise<ProbeSpool> {
  const folder = nodeFolder(config);
  mkdirSync(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('lock', () => lock.release());
  const place = spoolFolder(join(folder, 'spool'), () => uuidV7(Date.now(), randomBytes(10)));
  const journal = config.spool.ack_journal ? await AckJournal.open(join(folder, 'acks.jsonl'), place.spoolId) : null;
  stack.push('ack journal', () => journal?.close());
  const spool = await openProbeSpool({ folder: place, maxBytes: config.spool.max_bytes, journal, onGivenUp });
  stack.push('spool', () => spool.close());
  return spool;
}

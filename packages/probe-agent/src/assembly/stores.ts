import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeAgentConfig } from '@sentinel/service-kit/config';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import { nodeFolder } from '../identity/node-folder.js';
import { uuidV7 } from '../identity/uuid.js';
import { AckJournal } from '../spool/ack-journal.js';
import { Spool, type SpoolOptions } from '../spool/spool.js';
import { spoolFolder } from '../spool/spool-folder.js';

/**
 * Takes the node's folder for this process alone and opens what lies in it.
 * @throws SentinelError while another agent of this node runs
 */
export async function openStores(
  config: ProbeAgentConfig,
  onGivenUp: SpoolOptions['onGivenUp'],
  stack: StopStack,
): Promise<Spool> {
  const folder = nodeFolder(config);
  mkdirSync(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('lock', () => lock.release());
  const place = spoolFolder(join(folder, 'spool'), () => uuidV7(Date.now(), randomBytes(10)));
  const journal = config.spool.ack_journal ? await AckJournal.open(join(folder, 'acks.jsonl'), place.spoolId) : null;
  stack.push('ack journal', () => journal?.close());
  const spool = await Spool.open({ folder: place, maxBytes: config.spool.max_bytes, journal, onGivenUp });
  stack.push('spool', () => spool.close());
  return spool;
}

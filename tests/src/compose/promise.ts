import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decisions, engineEvidence, sentBy } from '../chaos/evidence.js';
import { SpoolAgent } from '../chaos/spool-agent.js';
import {
  type AcknowledgedRecord,
  assertArchived,
  type Reconciliation,
  reconcile,
  UnsettledError,
} from '../check/reconcile.js';
import { readJournal } from '../harness/ack-journal.js';
import { auditTrail } from '../harness/ledger-client.js';
import { until } from '../harness/until.js';
import type { ComposeProject } from './project.js';
import { clusterOf, databaseOf } from './stores.js';

/** Sound, with a passing fault, and defective. */
const AGENTS = 3;
const SEED = 8;
const RECORD_MS = 250;
/** After the last fault everything works again: then all is delivered within this time. */
const DELIVERED_MS = 120_000;
const OUTBOX_MS = 60_000;
/** Times that the agents' containers are started again to hear of what was committed when they were stopped, and the history gets it. */
const HEARINGS = 5;
const HEARING_MS = 5_000;
const SPOOL = '/var/lib/sentinel/spool';
const JOURNALS = new Map([
  ['probe-agent', `${SPOOL}/compose-host/acks.jsonl`],
  ['probe-agent-inject', `${SPOOL}/compose-faulty/acks.jsonl`],
]);

/** Agents that report while something happens, beside those of the project, and what was promised to all of them. */
export class Load {
  readonly #project: ComposeProject;
  readonly #agents: readonly SpoolAgent[];
  readonly #giveUp = new AbortController();
  readonly #recording: NodeJS.Timeout;
  readonly #deliveries: Promise<unknown>;

  private constructor(project: ComposeProject, agents: readonly SpoolAgent[]) {
    this.#project = project;
    this.#agents = agents;
    this.#deliveries = Promise.all(agents.map((agent) => agent.run(this.#giveUp.signal)));
    this.#recording = setInterval(() => {
      for (const agent of agents) agent.record();
    }, RECORD_MS);
  }

  static async start(project: ComposeProject): Promise<Load> {
    const fleetKey = await project.secret('hmac.key');
    const door = (): string => project.engine.grpc;
    const agents = Array.from(
      { length: AGENTS },
      (_, index) => new SpoolAgent({ seed: SEED, index, door, skewMs: () => 0, fleetKey }),
    );
    return new Load(project, agents);
  }

  /** Reports no more, waits until all is delivered and stops every agent. @returns what was promised and is not there, or is there twice */
  async settled(folder: string): Promise<Reconciliation> {
    clearInterval(this.#recording);
    for (const agent of this.#agents) agent.fill();
    try {
      const progress = (): string => this.#agents.map((agent) => agent.progress).join('; ');
      await until('all is delivered', DELIVERED_MS, () => this.#agents.every(({ delivered }) => delivered)).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}: ${progress()}`, { cause: error });
        },
      );
    } finally {
      this.#giveUp.abort();
      await this.#deliveries;
    }
    assert.deepEqual(
      this.#agents.flatMap(({ takenBack }) => [...takenBack]),
      [],
      'nothing promised was taken back',
    );
    return settledWith(
      this.#project,
      folder,
      this.#agents.flatMap(({ agent }) => sentBy(agent)),
    );
  }
}

/** The same for the agents in their containers, by the journals that they keep: they are stopped, so that nothing comes meanwhile. */
async function settledWith(
  project: ComposeProject,
  folder: string,
  sent: readonly AcknowledgedRecord[],
): Promise<Reconciliation> {
  const agents = (...command: string[]): Promise<string> =>
    project.compose('--profile', 'agent', '--profile', 'inject', ...command);
  for (let hearing = 1; ; hearing += 1) {
    await agents('stop', ...JOURNALS.keys());
    try {
      const evidence = await engineEvidence(await databaseOf(project), 'sentinel', {
        folder,
        cluster: clusterOf(project),
      });
      assertArchived(evidence.watermarks, evidence.archived);
      return reconcile([...sent, ...(await journals(folder, agents))], evidence);
    } catch (error) {
      if (!(error instanceof UnsettledError) || hearing === HEARINGS) throw error;
    }
    await agents('start', ...JOURNALS.keys());
    await delay(HEARING_MS);
  }
}

async function journals(
  folder: string,
  agents: (...command: string[]) => Promise<string>,
): Promise<AcknowledgedRecord[]> {
  const records: AcknowledgedRecord[] = [];
  for (const [service, journal] of JOURNALS) {
    const file = join(folder, `${service}.jsonl`);
    await agents('cp', `${service}:${journal}`, file);
    records.push(...readJournal(file));
  }
  return records;
}

/** Every change of state is in the ledger, once. @returns entries of the ledger */
export async function toldOnce(project: ComposeProject): Promise<number> {
  const database = await databaseOf(project);
  await until('the outbox is empty', OUTBOX_MS, async () => {
    const [row] = await database.sql('select count(*)::int as pending from outbox', 'sentinel');
    return row?.pending === 0;
  });
  const ids = (await auditTrail(project)).map(({ eventId }) => Buffer.from(eventId).toString('hex'));
  assert.equal(new Set(ids).size, ids.length, 'no event is there twice');
  const decided = await decisions(database, 'sentinel');
  assert.ok(decided.length > 0, 'something was decided');
  assert.deepEqual(
    decided.filter(({ eventId }) => !ids.includes(eventId)),
    [],
    'each decision is in the ledger',
  );
  return ids.length;
}

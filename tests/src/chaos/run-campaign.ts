import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../check/reconcile.js';
import type { Campaign } from './options.js';
import { storm } from './storm.js';

const REPLICAS = 3;
const AGENTS = 6;

export interface CampaignResult {
  readonly faults: number;
  readonly records: number;
  readonly runs: number;
  readonly lost: readonly Finding[];
  readonly doubled: readonly Finding[];
}

export async function runCampaign({ seed, legs }: Campaign, log: (line: string) => void): Promise<CampaignResult> {
  log(`seed ${seed} (--seed ${seed} repeats the faults and the reports)`);
  const total = { faults: 0, records: 0, runs: 0, lost: [] as Finding[], doubled: [] as Finding[] };
  for (const leg of legs) {
    const folder = mkdtempSync(join(tmpdir(), 'sentinel-chaos-'));
    // PostgreSQL may be another user, who has to get through.
    chmodSync(folder, 0o711);
    try {
      const result = await storm({ ...leg, folder, seed, replicas: REPLICAS, agents: AGENTS, log });
      total.faults += result.faults;
      total.records += result.records;
      total.runs += result.runs;
      total.lost.push(...result.lost);
      total.doubled.push(...result.doubled);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  for (const { where, what } of [...total.lost, ...total.doubled]) log(`${where}: ${what}`);
  return total;
}

/** Runs that are not there, or are there twice. */
export function runsOfFindings(findings: readonly Finding[]): number {
  return findings.reduce((sum, { runs }) => sum + runs, 0);
}

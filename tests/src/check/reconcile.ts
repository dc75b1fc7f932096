/** What one run was, as either side tells it. */
export interface RunFacts {
  readonly device: string;
  readonly family: number;
  readonly kind: number;
  readonly epoch: number;
  readonly index: number;
  /** SMs that ran to a PASS or FAIL. */
  readonly executions: number;
  /** SMs that failed, ascending. */
  readonly failing: readonly number[];
}

/** A record whose commit the agent was told of, from the agent's own fsynced journal. */
export interface AcknowledgedRecord {
  readonly spoolId: string;
  readonly sequence: number;
  readonly rows: readonly RunFacts[];
}

/** The engine's side, read from its stores without asking the engine. */
export interface EngineEvidence {
  readonly watermarks: readonly { readonly spoolId: string; readonly committedThrough: number }[];
  readonly counters: readonly Counter[];
  readonly failing: readonly {
    readonly spoolId: string;
    readonly sequence: number;
    readonly row: number;
    readonly sm: number;
  }[];
  readonly history: readonly (RunFacts & {
    readonly spoolId: string;
    readonly sequence: number;
    readonly row: number;
  })[];
}

export interface Counter {
  readonly device: string;
  readonly family: number;
  readonly runs: number;
  readonly executions: number;
  readonly failures: number;
}

export interface Finding {
  readonly where: 'watermark' | 'counter' | 'failing run' | 'history' | 'decision' | 'ledger' | 'promise' | 'replay';
  readonly what: string;
  readonly runs: number;
}

export interface Reconciliation {
  /** Acknowledged runs that were compared, and the failing (run, SM) pairs among them. */
  readonly runs: number;
  readonly failures: number;
  /** Acknowledged, but the engine does not have it. */
  readonly lost: readonly Finding[];
  /** The engine has more than was acknowledged: counted twice, or from nowhere. */
  readonly doubled: readonly Finding[];
}

/** The journal does not cover what the engine committed, so nothing can be said yet. */
export class UnsettledError extends Error {
  override readonly name = 'UnsettledError';
}

/**
 * Compares what was acknowledged with what the engine has, four ways: watermark, counters per (device, family), failing runs, and
 * run by run with the history. Both sides must be at rest: every committed record acknowledged.
 * @throws UnsettledError when they are not
 */
export function reconcile(acknowledged: readonly AcknowledgedRecord[], engine: EngineEvidence): Reconciliation {
  const records = uniqueRecords(acknowledged);
  assertSettled(records, engine.watermarks);
  const found: Found = { lost: [], doubled: [] };
  compareWatermarks(records, engine.watermarks, found);
  compareCounters(records, engine.counters, found);
  compareFailing(records, engine.failing, found);
  compareHistory(records, engine.history, found);
  const rows = records.flatMap((record) => record.rows);
  return { runs: rows.length, failures: sum(rows.map(({ failing }) => failing.length)), ...found };
}

interface Found {
  readonly lost: Finding[];
  readonly doubled: Finding[];
}

/** @throws UnsettledError while the history is behind the commits, or ahead of those that were read */
export function assertArchived(watermarks: EngineEvidence['watermarks'], through: ReadonlyMap<string, number>): void {
  for (const { spoolId, committedThrough } of watermarks) {
    const archived = through.get(spoolId) ?? 0;
    if (archived !== committedThrough)
      throw new UnsettledError(`the history of ${spoolId} reaches ${archived} of ${committedThrough}`);
  }
}

/**
 * A record is acknowledged again when either side was killed before it could forget it: once counts. The first acknowledgement is
 * the promise: after it the agent may forget, and what it then sends in the record's place is only a count.
 */
function uniqueRecords(acknowledged: readonly AcknowledgedRecord[]): AcknowledgedRecord[] {
  const byKey = new Map<string, AcknowledgedRecord>();
  for (const record of acknowledged) {
    const key = `${record.spoolId}:${record.sequence}`;
    if (!byKey.has(key)) byKey.set(key, record);
  }
  return [...byKey.values()];
}

function assertSettled(records: readonly AcknowledgedRecord[], watermarks: EngineEvidence['watermarks']): void {
  const seen = new Set(records.map(({ spoolId, sequence }) => `${spoolId}:${sequence}`));
  for (const { spoolId, committedThrough } of watermarks) {
    for (let sequence = 1; sequence <= committedThrough; sequence += 1) {
      if (!seen.has(`${spoolId}:${sequence}`)) {
        throw new UnsettledError(
          `record ${spoolId}:${sequence} is committed but not in the journal (watermark ${committedThrough})`,
        );
      }
    }
  }
}

function compareWatermarks(
  records: readonly AcknowledgedRecord[],
  watermarks: EngineEvidence['watermarks'],
  found: Found,
): void {
  const through = new Map(watermarks.map(({ spoolId, committedThrough }) => [spoolId, committedThrough]));
  for (const { spoolId, sequence, rows } of records) {
    const committed = through.get(spoolId) ?? 0;
    if (sequence <= committed) continue;
    const what = `record ${spoolId}:${sequence} was acknowledged, the watermark is ${committed}`;
    found.lost.push({ where: 'watermark', what, runs: rows.length });
  }
}

function compareCounters(records: readonly AcknowledgedRecord[], counters: readonly Counter[], found: Found): void {
  const expected = countersOf(records);
  const actual = new Map(counters.map((counter) => [counterKey(counter), counter]));
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    for (const name of ['runs', 'executions', 'failures'] as const) {
      const wanted = expected.get(key)?.[name] ?? 0;
      const got = actual.get(key)?.[name] ?? 0;
      if (got === wanted) continue;
      const finding = {
        where: 'counter' as const,
        what: `${key}: ${got} ${name}, acknowledged ${wanted}`,
        runs: Math.abs(got - wanted),
      };
      (got < wanted ? found.lost : found.doubled).push(finding);
    }
  }
}

function counterKey({ device, family }: { device: string; family: number }): string {
  return `${device} family ${family}`;
}

function countersOf(records: readonly AcknowledgedRecord[]): Map<string, Counter> {
  const counters = new Map<string, Counter>();
  for (const row of records.flatMap((record) => record.rows)) {
    const { device, family } = row;
    const before = counters.get(counterKey(row)) ?? { device, family, runs: 0, executions: 0, failures: 0 };
    counters.set(counterKey(row), {
      device,
      family,
      runs: before.runs + 1,
      executions: before.executions + row.executions,
      failures: before.failures + row.failing.length,
    });
  }
  return counters;
}

function compareFailing(
  records: readonly AcknowledgedRecord[],
  failing: EngineEvidence['failing'],
  found: Found,
): void {
  const expected = records.flatMap(({ spoolId, sequence, rows }) =>
    rows.flatMap(({ failing: sms }, row) => sms.map((sm) => `${spoolId}:${sequence} row ${row} SM ${sm}`)),
  );
  const actual = failing.map(({ spoolId, sequence, row, sm }) => `${spoolId}:${sequence} row ${row} SM ${sm}`);
  compareKeys('failing run', expected, actual, found);
}

function compareHistory(
  records: readonly AcknowledgedRecord[],
  history: EngineEvidence['history'],
  found: Found,
): void {
  const expected = records.flatMap(({ spoolId, sequence, rows }) =>
    rows.map((row, at) => runKey(spoolId, sequence, at, row)),
  );
  const actual = history.map((run) => runKey(run.spoolId, run.sequence, run.row, run));
  compareKeys('history', expected, actual, found);
}

/** The whole run is its key: a run that changed on the way is one lost and one from nowhere. */
function runKey(spoolId: string, sequence: number, row: number, run: RunFacts): string {
  const { device, family, kind, epoch, index, executions, failing } = run;
  return `${spoolId}:${sequence} row ${row}: ${device} ${family}/${kind}/${epoch}/${index} ran ${executions} failed [${failing.join(' ')}]`;
}

function compareKeys(
  where: Finding['where'],
  expected: readonly string[],
  actual: readonly string[],
  found: Found,
): void {
  const missing = new Set(expected);
  const known = new Set(expected);
  const seen = new Set<string>();
  for (const key of actual) {
    if (!known.has(key)) found.doubled.push({ where, what: `${key}: was never acknowledged`, runs: 1 });
    else if (seen.has(key)) found.doubled.push({ where, what: `${key}: is there twice`, runs: 1 });
    seen.add(key);
    missing.delete(key);
  }
  for (const key of missing) found.lost.push({ where, what: `${key}: is missing`, runs: 1 });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Fleet } from '../client.js';
import type { Context } from '../context.js';
import { type Failure, failureOf } from '../failure.js';
import { fleetSummary, gpuTable, hang, paint, plural, wrap } from '../views/index.js';
import { contradiction } from './ledger-standing.js';

/** A large fleet is shown by the devices that need somebody. */
const SHOWN = 20;
const NAME_WIDTH = 10;

interface ServiceStatus<T> {
  readonly address: string;
  readonly found: T | null;
  readonly failure: Failure | null;
}

/** Both services and the fleet at one glance; 69 when a service does not answer, 1 when the ledger contradicts what was verified of it. */
export async function status(context: Context): Promise<number> {
  const engine = context.engine();
  const ledger = context.ledger();
  const [fleet, log] = await Promise.all([
    asked(engine.address, () => engine.fleet()),
    asked(ledger.address, async () => {
      const answer = await ledger.checkpoint();
      return { entries: entriesOf(answer.checkpoint), contradiction: await contradiction(context, answer) };
    }),
  ]);
  const { entries = null, contradiction: contradicts = null } = log.found ?? {};
  const value = { engine: summaryOf(fleet), ledger: { ...summaryOf(log), entries, contradiction: contradicts } };
  context.answer({ ...value, summary: fleet.found?.summary, gpus: fleet.found?.gpus ?? [] }, () =>
    [
      ...serviceLines('Engine', fleet, ''),
      ...serviceLines('Ledger', log, log.found === null ? '' : `, ${plural(log.found.entries, 'entry', 'entries')}`),
      ...(contradicts === null ? [] : contradictionLines(contradicts)),
      ...(fleet.found === null ? [] : fleetLines(fleet.found, context.nowUs())),
    ].join('\n'),
  );
  return fleet.failure?.status ?? log.failure?.status ?? (contradicts === null ? EXIT.ok : EXIT.negative);
}

async function asked<T>(address: string, ask: () => Promise<T>): Promise<ServiceStatus<T>> {
  try {
    return { address, found: await ask(), failure: null };
  } catch (error) {
    return { address, found: null, failure: failureOf(error) };
  }
}

function contradictionLines(what: string): string[] {
  const advice = 'Run npx sentinel audit verify, and keep what it says, before anything else.';
  return hang(
    ' '.repeat(NAME_WIDTH),
    `${paint('red', 'CRITICAL')}: the log was replaced, rolled back or forked: ${what}. ${advice}`,
  );
}

function summaryOf({ address, failure }: ServiceStatus<unknown>) {
  return { address, ok: failure === null, error: failure?.sentence ?? null };
}

function serviceLines(name: string, { address, failure }: ServiceStatus<unknown>, more: string): string[] {
  const text =
    failure === null ? `${paint('green', 'up')} at ${address}${more}` : `${paint('red', 'down')}: ${failure.sentence}`;
  return hang(name.padEnd(NAME_WIDTH), text);
}

function fleetLines({ summary, gpus }: Fleet, nowUs: bigint): string[] {
  const shown = gpus.length <= SHOWN ? gpus : gpus.filter(needsSomebody).slice(0, SHOWN);
  const hidden = gpus.length - shown.length;
  return [
    ...(summary === undefined ? [] : [fleetSummary(summary)]),
    '',
    ...(shown.length === 0 && hidden > 0 ? [] : [gpuTable(shown, nowUs)]),
    ...(hidden > 0 ? [`${hidden} more: npx sentinel gpus list`] : []),
    ...shown.filter(needsSomebody).flatMap((gpu) => wrap(`${gpu.gpu}: ${gpu.summary}`)),
  ];
}

function needsSomebody(gpu: GpuHealth): boolean {
  return gpu.state !== GpuState.HEALTHY || gpu.injected || gpu.wouldBe !== GpuState.UNSPECIFIED;
}

/** Second line of a C2SP checkpoint; display only, `audit verify` is what proves it. */
function entriesOf(checkpoint: string): number {
  return Number(checkpoint.split('\n')[1] ?? 0);
}

import { existsSync, writeFileSync } from 'node:fs';
import {
  engineConfigOf,
  htmlReport,
  loadScenario,
  replicates,
  type Scenario,
  scenarioFile,
  shippedScenarios,
  summarize,
  textReport,
} from '@sentinel/fleet-simulator';
import { ConfigError, UsageError } from '@sentinel/service-kit/config';
import { EXIT } from '@sentinel/service-kit/errors';
import { realNumber, wholeNumber } from '../arguments.js';
import type { Io } from '../context.js';
import { ConfigurationError, usageError } from '../failure.js';

const MAX_REPLICATES = 100_000;
/** A question without a scenario is asked of one unit of one GPU, as often as a median needs. */
const WHAT_IF = { scenario: 'what_if', replicates: '100' };

type EngineConfig = ReturnType<typeof engineConfigOf>;

/** As the flags gave them, all text. */
export interface SimulateFlags {
  readonly seed?: string;
  readonly replicates?: string;
  readonly html?: string;
  /** `KEY=VALUE`, one a line. */
  readonly set?: string;
  readonly rate?: string;
  readonly cadence?: string;
  readonly prior?: string;
}

/** Simulates a fleet with the engine's own decision code, and says what it would have done. Needs no service. */
export function simulateFleet(io: Io, json: boolean, name: string, flags: SimulateFlags): number {
  const asked = flags.rate ?? flags.cadence ?? flags.prior;
  if (name === '' && asked === undefined) return list(io);
  const file = scenarioFile(name === '' ? WHAT_IF.scenario : name);
  const seed = wholeNumber('--seed', 0, Number.MAX_SAFE_INTEGER)(flags.seed ?? '1');
  const count = flags.replicates ?? (name === '' ? WHAT_IF.replicates : '1');
  const runs = wholeNumber('--replicates', 1, MAX_REPLICATES)(count);
  const { scenario, config } = read(file, { ...whatIf(flags), ...settings(flags.set) });
  const progress = new Progress(io, runs);
  const outcomes = [];
  for (const outcome of replicates(scenario, {
    seed,
    count: runs,
    config,
    untilSettled: name === '',
    progress: (done, of) => progress.show(outcomes.length + done / of),
  })) {
    outcomes.push(outcome);
  }
  progress.end();
  const summary = summarize(scenario, seed, outcomes);
  if (flags.html !== undefined) write(flags.html, htmlReport(summary));
  io.stdout.write(`${json ? JSON.stringify(summary, null, 2) : textReport(summary)}\n`);
  return EXIT.ok;
}

function list(io: Io): number {
  io.stdout.write(`Scenarios: ${shippedScenarios().join(', ')}; or the path of a file.\n`);
  return EXIT.ok;
}

/** @throws ConfigurationError naming file, line and what is wrong */
function read(file: string, set: Readonly<Record<string, string>>): { scenario: Scenario; config: EngineConfig } {
  try {
    const scenario = loadScenario(file, set);
    return { scenario, config: engineConfigOf(scenario) };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof UsageError)) throw error;
    const known = `Scenarios that come with SENTINEL: ${shippedScenarios().join(', ')}.`;
    const hint = existsSync(file) ? '' : known;
    throw new ConfigurationError({ code: 'INVALID_ARGUMENT', message: error.message, hint, cause: error });
  }
}

/** The flags of an operator's question, as settings of the scenario. */
function whatIf({ rate, cadence, prior }: SimulateFlags): Record<string, string> {
  const set: Record<string, string> = {};
  if (rate !== undefined) set['faults.0.rate'] = String(realNumber('--rate', 0, 1)(rate));
  if (cadence !== undefined) set['fleet.cadence_seconds'] = String(realNumber('--cadence', 1, 86_400)(cadence));
  if (prior !== undefined)
    set['engine.attribution.unit_defects_per_gpu_year'] = String(realNumber('--prior', 0, 1)(prior));
  return set;
}

function settings(lines = ''): Record<string, string> {
  const pairs = lines === '' ? [] : lines.split('\n');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([\w.]+)=(.*)$/.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw usageError('--set', `--set takes KEY=VALUE, as fleet.gpus=64 or faults.0.rate=1e-3, not ${pair}`);
      return [key, value];
    }),
  );
}

function write(file: string, content: string): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'error';
    throw usageError('--html', `${file} cannot be written (${reason})`);
  }
}

const BAR = 30;

/** A bar on a terminal; nothing where standard error is a file or a pipe. */
class Progress {
  readonly #io: Io;
  readonly #runs: number;
  #shown = -1;

  constructor(io: Io, runs: number) {
    this.#io = io;
    this.#runs = runs;
  }

  show(done: number): void {
    if (this.#io.stderr.isTTY !== true) return;
    const percent = Math.min(100, Math.floor((100 * done) / this.#runs));
    if (percent === this.#shown) return;
    this.#shown = percent;
    const full = Math.round((percent / 100) * BAR);
    this.#io.stderr.write(`\r[${'#'.repeat(full)}${' '.repeat(BAR - full)}] ${percent} %`);
  }

  /** Leaves nothing behind. */
  end(): void {
    if (this.#shown >= 0) this.#io.stderr.write('\r\x1b[K');
  }
}

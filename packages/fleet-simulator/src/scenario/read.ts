import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigError } from '@sentinel/service-kit/config';
import { choice, type Format, flag, integer, real, text } from '@sentinel/service-kit/config/formats';
import { ProblemList } from '@sentinel/service-kit/config/problems';
import { type YamlEntry, YamlFile } from '@sentinel/service-kit/config/yaml-source';
import { readValues } from '@sentinel/service-kit/config/yaml-values';
import { parseDocument } from 'yaml';
import { FAMILY_NUMBERS } from '../world/families.js';
import { type Contradiction, checkEvent, checkFault, familiesOf, type Stage } from './check.js';
import { settingProblems } from './engine-settings.js';
import type { EnvironmentSpec, Fault, FleetSpec, Limits, PlannedEvent, Scenario } from './scenario.js';

type Formats = Readonly<Record<string, Format<unknown>>>;

const HOURS = real(0, 1_000_000);
const WORDS = text();

const TOP: Formats = {
  name: text({ expects: 'a name of letters, digits, "_" or "-"', pattern: /^[A-Za-z0-9_-]{1,64}$/ }),
  description: WORDS,
  hours: HOURS,
  warmup_hours: HOURS,
  transient_rate: real(0, 1),
  anomalies_per_day: real(0, 1000),
};

const FLEET: Formats = {
  gpus: integer(1, 200_000),
  gpus_per_node: integer(1, 64),
  sms: integer(1, 512),
  families: choice('one_per_type', 'all'),
  schedule: WORDS,
  cadence_seconds: real(1, 86_400),
  model: WORDS,
  driver: WORDS,
  self_tested: flag,
  clock_skew_seconds: real(0, 86_400),
  deep_test_per_second: real(0.001, 10_000),
};

const FLEET_DEFAULTS: FleetSpec = {
  gpus: 1000,
  gpusPerNode: 8,
  sms: 132,
  families: 'one_per_type',
  schedule: 'default',
  cadenceSeconds: null,
  model: 'simulated GPU',
  driver: '1',
  selfTested: true,
  clockSkewSeconds: 0,
  deepTestPerSecond: 20,
};

const ENVIRONMENT: Formats = {
  cool_c: real(-50, 150),
  hot_c: real(-50, 150),
  hot_from: real(0, 24),
  hot_until: real(0, 24),
};

const ENVIRONMENT_DEFAULTS: EnvironmentSpec = { coolC: 55, hotC: 55, hotFrom: 0, hotUntil: 0 };

const LIMITS: Formats = {
  failing_runs: integer(1, 100_000),
  per_hours: real(0.001, 100_000),
  failures_per_directive: integer(1, 1_000_000),
};

const LIMITS_DEFAULTS: Limits = { failingRuns: 60, perHours: 1, failuresPerDirective: 200 };

const FAULT: Formats = {
  name: WORDS,
  kind: choice('unit', 'sm', 'gpu', 'node', 'software'),
  gpu: integer(0, 200_000),
  node: integer(0, 200_000),
  sm: integer(0, 511),
  count: integer(1, 200_000),
  fraction: real(0, 1),
  family: choice('all', ...FAMILY_NUMBERS.keys()),
  rate: real(0, 1),
  start_hours: HOURS,
  spread_hours: HOURS,
  canary_nodes: integer(0, 100_000),
  canary_hours: HOURS,
  creeping: flag,
  ramp_hours: HOURS,
  stop_hours: HOURS,
  digest: choice('own', 'shared'),
  golden: choice('intact', 'damaged'),
  heat: real(-5, 5),
  heat_reference: real(-50, 150),
  minutes_per_hour: real(0, 60),
  from_hour: real(0, 24),
  until_hour: real(0, 24),
  bursts_per_hour: real(0, 3600),
  burst_ends_per_hour: real(0, 3600),
  visible: flag,
};

const FAULT_DEFAULTS: Omit<Fault, 'name' | 'kind' | 'rate'> = {
  gpu: null,
  node: null,
  sm: null,
  count: 1,
  fraction: 1,
  family: 'all',
  startHours: 0,
  spreadHours: 0,
  canaryNodes: 0,
  canaryHours: 24,
  creeping: false,
  rampHours: 0,
  stopHours: null,
  digest: 'own',
  golden: 'intact',
  heat: 0,
  heatReference: 60,
  minutesPerHour: 60,
  fromHour: 0,
  untilHour: 24,
  burstsPerHour: 0,
  burstEndsPerHour: 60,
  visible: false,
};

const EVENT: Formats = {
  at_hours: HOURS,
  what: choice(
    'agent_loss',
    'store_outage',
    'quarantine',
    'reinstate',
    'deep_test',
    'condemn',
    'release_incidents',
    'confirm_incidents',
    'repair',
    'new_build',
    'driver_update',
    'lose_in_job',
  ),
  gpu: integer(0, 200_000),
  node: integer(0, 200_000),
  nodes: integer(1, 200_000),
  hours: HOURS,
};

const EVENT_DEFAULTS: Omit<PlannedEvent, 'atHours' | 'what'> = { gpu: 0, node: 0, nodes: 1, hours: 1 };

/** @throws ConfigError listing everything that is wrong, with file and line */
export function loadScenario(file: string, set: Readonly<Record<string, string>> = {}): Scenario {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
    throw new ConfigError([{ origin: { kind: 'file', file, line: 1 }, reason }]);
  }
  return parseScenario(basename(file), content, set);
}

/**
 * The same for the text of a scenario; `name` stands for the file in what is said about it.
 * @param set values by dotted path, such as `faults.0.rate`, in place of those of the file
 * @throws ConfigError
 */
export function parseScenario(name: string, content: string, set: Readonly<Record<string, string>> = {}): Scenario {
  const problems = new ProblemList();
  const yaml = new YamlFile(name, withSet(name, content, set), problems);
  const scenario = yaml.valid ? new Reader(yaml, problems).scenario() : undefined;
  problems.throwIfAny();
  if (scenario === undefined) throw new Error(`${name}: no scenario and no problem`);
  return scenario;
}

function withSet(name: string, content: string, set: Readonly<Record<string, string>>): string {
  const changes = Object.entries(set);
  if (changes.length === 0) return content;
  const document = parseDocument(content, { version: '1.2', schema: 'core' });
  // Whoever reads it next says so with the line.
  if (document.errors.length > 0) return content;
  for (const [path, value] of changes) {
    const parts = path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    // Keys of the engine's settings have dots of their own.
    const place = parts[0] === 'engine' ? ['engine', parts.slice(1).join('.')] : parts;
    try {
      document.setIn(place, parseDocument(value, { version: '1.2', schema: 'core' }).toJS());
    } catch {
      throw new ConfigError([
        { origin: { kind: 'file', file: name, line: 1 }, key: path, reason: 'nothing to set there' },
      ]);
    }
  }
  return String(document);
}

/** An entry of a list and where it stands. */
interface Item<T> {
  readonly value: T;
  readonly line: number;
}

class Reader {
  readonly #yaml: YamlFile;
  readonly #problems: ProblemList;

  constructor(yaml: YamlFile, problems: ProblemList) {
    this.#yaml = yaml;
    this.#problems = problems;
  }

  scenario(): Scenario {
    const top = this.#yaml.entries(this.#yaml.root, undefined, 'error');
    const part = (name: string) => top.find((entry) => entry.name === name);
    const nested = ['fleet', 'environment', 'limits', 'engine', 'faults', 'events'];
    const own = top.filter(({ name }) => !nested.includes(name));
    const head = { formats: TOP, prefix: '', required: ['name', 'hours'], also: nested };
    const values = camel(readValues(this.#yaml, own, head, 1, this.#problems));
    const fleet = this.#mapping<FleetSpec>(part('fleet'), 'fleet', FLEET, FLEET_DEFAULTS);
    const environment = this.#mapping<EnvironmentSpec>(
      part('environment'),
      'environment',
      ENVIRONMENT,
      ENVIRONMENT_DEFAULTS,
    );
    const limits = this.#mapping<Limits>(part('limits'), 'limits', LIMITS, LIMITS_DEFAULTS);
    const faults = this.#list<Fault>(part('faults'), 'faults', FAULT, FAULT_DEFAULTS, ['kind', 'rate']);
    const named = faults.map(({ value, line }, i) => {
      return { value: { ...value, name: value.name ?? `${value.kind} ${i + 1}` }, line };
    });
    const events = this.#list<PlannedEvent>(part('events'), 'events', EVENT, EVENT_DEFAULTS, ['at_hours', 'what']);
    // What is beside the point while single values are wrong.
    if (this.#problems.errors.length === 0)
      this.#check({ ...fleet, hours: Number(values['hours']) }, part('fleet')?.line ?? 1, named, events);
    const engine = this.#settings(part('engine'));
    return {
      description: '',
      warmupHours: 24 * 56,
      transientRate: 0,
      anomaliesPerDay: 0,
      ...(values as unknown as Pick<Scenario, 'name' | 'hours'>),
      fleet,
      environment,
      limits,
      engine,
      faults: named.map(({ value }) => value),
      events: events.map(({ value }) => value),
    };
  }

  #check(fleet: Stage, line: number, faults: readonly Item<Fault>[], events: readonly Item<PlannedEvent>[]): void {
    const families = familiesOf(fleet);
    if ('key' in families) return this.#yaml.report('error', line, families.key, families.reason);
    const earlier: Fault[] = [];
    for (const fault of faults) {
      this.#contradictions(fault.line, checkFault(fault.value, fleet, families, earlier));
      earlier.push(fault.value);
    }
    for (const event of events) this.#contradictions(event.line, checkEvent(event.value, fleet));
  }

  #contradictions(line: number, found: readonly Contradiction[]): void {
    for (const { key, reason } of found) this.#yaml.report('error', line, key, reason);
  }

  #mapping<T>(entry: YamlEntry | undefined, name: string, formats: Formats, defaults: T): T {
    const fields = entry === undefined ? [] : this.#yaml.entries(entry.value, name, 'error');
    const keys = { formats, prefix: `${name}.`, required: [], also: [] };
    return { ...defaults, ...camel(readValues(this.#yaml, fields, keys, entry?.line ?? 1, this.#problems)) };
  }

  #list<T>(
    entry: YamlEntry | undefined,
    name: string,
    formats: Formats,
    defaults: Partial<T>,
    required: readonly string[],
  ): Item<T>[] {
    if (entry === undefined) return [];
    const items = this.#yaml.items(entry.value);
    if (items === undefined) this.#yaml.report('error', entry.line, name, 'expected a list');
    return (items ?? []).map((item) => {
      const fields = this.#yaml.entries(item, name, 'error');
      const keys = { formats, prefix: `${name}.`, required, also: [] };
      const values = camel(readValues(this.#yaml, fields, keys, this.#yaml.lineOf(item), this.#problems));
      return { value: { ...defaults, ...values } as T, line: this.#yaml.lineOf(item) };
    });
  }

  /** Which of them exist, and what they may be, the engine's own configuration says. */
  #settings(entry: YamlEntry | undefined): Scenario['engine'] {
    const settings: Record<string, string | number | boolean> = {};
    const lines = new Map<string | null, number>();
    for (const { name, line, value } of entry === undefined ? [] : this.#yaml.entries(entry.value, 'engine', 'error')) {
      lines.set(name, line);
      const plain = this.#yaml.plain(value, `engine.${name}`, 'error');
      if (typeof plain === 'object')
        this.#yaml.report('error', line, `engine.${name}`, 'expected a single value; write nested keys with dots');
      else settings[name] = plain as string;
    }
    for (const { key, reason } of settingProblems(settings))
      this.#yaml.report('error', lines.get(key) ?? entry?.line ?? 1, key === null ? 'engine' : `engine.${key}`, reason);
    return settings;
  }
}

/** `start_hours` is written so in files, and `startHours` here. */
function camel(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const name = (key: string): string => key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [name(key), value]));
}

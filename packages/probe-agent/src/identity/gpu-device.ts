import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import type {
  ExecuteRequest,
  FamilyInfo,
  GpuExecuteReport,
  GpuOpened,
  KnownAnswerResult,
  GpuDevice as SeenGpu,
} from '@sentinel/native-probes';
import { type FamilyName, GPU_FAMILIES } from '../families.js';
import type { ChildReply, PreludeOutcome, ProbeChild } from '../probe-child/probe-child.js';
import { GPU_UNIT } from '../scheduler/planner.js';
import { availableFamilies } from './devices.js';
import { refusedInjection } from './injections.js';
import { describeFamilies, type SelfTest, tally } from './self-test.js';
import type { Execution, NotScheduled, TestedDevice } from './tested-device.js';

/** All known answers of all families on all SMs. */
const SELF_TEST_TIMEOUT_MS = 120_000;

type SmAnswer = KnownAnswerResult & { readonly sm: number };

export interface GpuDeviceParts {
  readonly seen: SeenGpu;
  /** Opens the GPU in each new child and hands `prelude` what came of it. */
  readonly child: Pick<ProbeChild, 'ask' | 'replace'>;
  /** Share of the SMs that must reproduce the known answers of a family before it is scheduled. */
  readonly selfTestQuorum: number;
  /** The boot that numbers the SMs of a MIG instance; other devices keep their numbers. */
  readonly bootId: string;
}

/**
 * One GPU or MIG instance, in a child of its own. Until it was opened once it is described as the census saw it, and every
 * execution says why there is none: an SM that did not run must age visibly.
 */
export class GpuDevice implements TestedDevice {
  readonly backend = 'gpu';
  readonly #parts: GpuDeviceParts;
  #opened: GpuOpened | undefined;
  #gone = false;
  /** Why a fault of the test build cannot be injected here. */
  #refusedFault: string | undefined;
  #tested: SelfTest | undefined;
  /** Known answers were asked for before and did not come. */
  #late = false;
  onChange: (detail: string) => void = () => {};

  constructor(parts: GpuDeviceParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.seen.uuid;
  }

  get sms(): readonly number[] {
    return this.#opened?.sms ?? Array.from({ length: this.#parts.seen.smCount }, (_, sm) => sm);
  }

  get families(): readonly FamilyName[] {
    if (this.#opened === undefined) return GPU_FAMILIES;
    return availableFamilies(this.#opened.families).filter((family) => this.#isTrusted(family));
  }

  get notScheduled(): TestedDevice['notScheduled'] {
    return (this.#opened?.families ?? []).flatMap((family) => this.#whyNot(family) ?? []);
  }

  get switchUs(): number | null {
    return this.#opened?.switchUs ?? null;
  }

  /** Takes what came of opening the GPU in a new child. */
  readonly prelude = (outcome: PreludeOutcome): void => {
    if ('refusal' in outcome) {
      if (outcome.refused === 'inject') this.#refusedFault = outcome.refusal;
      if (!this.#gone) this.onChange(`cannot be opened: ${outcome.refusal}`);
      this.#gone = true;
      return;
    }
    const before = this.#opened;
    const opened = outcome.answers[0] as GpuOpened;
    this.#opened = opened;
    if (this.#gone) this.onChange('is back');
    else if (before !== undefined && before.sms.join() !== opened.sms.join()) this.onChange('shows other SMs');
    this.#gone = false;
  };

  async execute(request: ExecuteRequest, timeoutMs: number): Promise<ChildReply<Execution>> {
    const untested = await this.#ensureTested();
    if (untested !== undefined) return untested;
    const { child } = this.#parts;
    const reply = await child.ask('gpuExecute', request, timeoutMs);
    if (reply.kind !== 'answer') return reply;
    const report = reply.value;
    // A CUDA context that met an error answers every later call with it: only a new process has a new one.
    if (allErrors(report)) child.replace(`${this.id}: ${report.results[0]?.reason ?? 'error of the driver'}`);
    return { kind: 'answer', value: executionOf(report) };
  }

  async selfTest(): Promise<SelfTest> {
    await this.#ensureTested();
    if (this.#refusedFault !== undefined) throw refusedInjection(this.#refusedFault);
    return this.#tested ?? new Map();
  }

  describe(): Device {
    const device = this.#opened?.device ?? this.#parts.seen;
    return {
      id: this.id,
      model: device.name,
      vendor: 'NVIDIA',
      sms: [...this.sms],
      driverVersion: device.driverVersion ?? '',
      vbiosVersion: device.vbiosVersion ?? '',
      cudaVersion: device.cudaVersion ?? '',
      serial: device.serial ?? '',
      note: this.#note(),
      slot: device.pciBusId ?? '',
      families: describeFamilies(this.#opened?.families ?? [], this.#tested ?? new Map()),
    };
  }

  #note(): string {
    const { seen, bootId } = this.#parts;
    const architecture = this.#opened?.device.architecture ?? seen.architecture ?? '';
    const instance =
      seen.parentUuid === null ? '' : `MIG instance of ${seen.parentUuid}, SMs numbered by boot ${bootId}`;
    const variant = this.#opened?.variant === 'small' ? 'small kernels beside other processes' : '';
    const closed = this.#opened === undefined ? 'not opened' : '';
    return [architecture, instance, variant, closed].filter((part) => part !== '').join('; ');
  }

  /** The known answers, once; undefined = they are there, else why not. */
  async #ensureTested(): Promise<ChildReply<never> | undefined> {
    if (this.#tested !== undefined) return undefined;
    const reply = await this.#parts.child.ask('gpuKnownAnswers', null, SELF_TEST_TIMEOUT_MS);
    if (reply.kind !== 'answer') {
      this.#late = true;
      return reply;
    }
    this.#tested = bySm(reply.value);
    if (this.#late) this.onChange('answers now');
    return undefined;
  }

  #whyNot({ name, available, missing }: FamilyInfo): NotScheduled | undefined {
    if (!available) return { family: name, reason: missing ?? 'this GPU has no support for it', failedSelfTest: false };
    if (this.#isTrusted(name)) return undefined;
    const { run, passed } = tally(this.#tested ?? new Map(), name);
    const reason = `only ${passed} of ${run} SMs reproduce its known answers`;
    return { family: name, reason, failedSelfTest: true };
  }

  /** Where most SMs are wrong, the kernel, the driver or the whole GPU is: its results would accuse single SMs of it. */
  #isTrusted(family: FamilyName): boolean {
    const { run, passed } = tally(this.#tested ?? new Map(), family);
    return passed >= run * this.#parts.selfTestQuorum;
  }
}

function allErrors({ results }: GpuExecuteReport): boolean {
  return results.length > 0 && results.every(({ result }) => result === 'ERROR');
}

function executionOf(report: GpuExecuteReport): Execution {
  const goldenCharges = report.cpuUs.map(({ cpu, us }) => ({ unit: cpu, us }));
  return { report, charges: [{ unit: GPU_UNIT, us: report.gpu.chargedUs }], goldenCharges };
}

function bySm(answers: readonly SmAnswer[]): SelfTest {
  const map = new Map<number, SmAnswer[]>();
  for (const answer of answers) map.set(answer.sm, [...(map.get(answer.sm) ?? []), answer]);
  return map;
}

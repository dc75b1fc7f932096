import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import type { ExecuteReport, ExecuteRequest, GpuExecuteReport } from '@sentinel/native-probes';
import type { ChildReply } from '../probe-child/probe-child.js';
import type { Testable } from '../scheduler/directive-plan.js';
import type { Charge } from '../scheduler/planner.js';
import type { SelfTest } from './self-test.js';

/** What an execution found, and who pays for it. */
export interface Execution {
  readonly report: ExecuteReport | GpuExecuteReport;
  /** To the budget of the device: each logical CPU of a CPU device, the GPU's own time of a GPU. */
  readonly charges: readonly Charge[];
  /** CPU time of the goldens of a GPU: shown apart, no budget pays it. */
  readonly goldenCharges: readonly Charge[];
}

/** A family that does not run on a device, and why. */
export interface NotScheduled {
  readonly family: string;
  readonly reason: string;
  /** Too many SMs do not reproduce its known answers; else the device does not have it. */
  readonly failedSelfTest: boolean;
}

/** A device under test, CPU or GPU, as the rest of the agent sees it. What a GPU has may change when it is opened again. */
export interface TestedDevice extends Testable {
  readonly backend: 'cpu' | 'gpu';
  readonly notScheduled: readonly NotScheduled[];
  /** Part of every charge of a GPU: what it takes to change from another context and back, microseconds. Null on CPUs and before it is open. */
  readonly switchUs: number | null;
  /** Told when the device went, came back or is not what it was. */
  onChange: (detail: string) => void;
  execute(request: ExecuteRequest, timeoutMs: number): Promise<ChildReply<Execution>>;
  /**
   * Runs the committed known answers on every SM that did not answer yet. A device that hangs leaves some out.
   * @throws SentinelError INVALID_ARGUMENT for a fault of the test build that the device cannot have
   */
  selfTest(): Promise<SelfTest>;
  /** As hello and `--list-gpus` describe it. */
  describe(): Device;
}

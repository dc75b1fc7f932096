/** A probe family: one kind of unit, one recipe of operands and results. */
export type Family =
  | 'fma32'
  | 'int_aes'
  | 'fma64'
  | 'cpu_reg'
  | 'cpu_mem'
  | 'fma16'
  | 'bf16'
  | 'tc_fp16'
  | 'tc_bf16'
  | 'tc_tf32'
  | 'tc_fp8'
  | 'tc_int8'
  | 'tc_fp64'
  | 'sfu'
  | 'regfile'
  | 'smem'
  | 'l2'
  | 'hbm'
  | 'copy'
  | 'cpu_libm'
  | 'cpu_bf16';

/** NOT_RUN, INCONCLUSIVE and ERROR are results of their own: none of them is a PASS. */
export type Result = 'PASS' | 'FAIL' | 'NOT_RUN' | 'INCONCLUSIVE' | 'ERROR';

export interface FamilyInfo {
  name: Family;
  /** Digests are comparable between SMs, devices and nodes of one probe version only. */
  probeVersion: number;
  lanes: number;
  /** Operand vectors per lane of one execution. */
  iterations: number;
  available: boolean;
  /** What the CPU lacks; null if the family is available. */
  missing: string | null;
  instructions: string[];
}

export interface Info {
  apiVersion: number;
  /** True in the build that can falsify results. */
  testBuild: boolean;
  backend: 'cpu';
  cpuModel: string;
  vendor: string;
  /** The CPUs are virtual: a logical CPU need not stay on one physical core. */
  hypervisor: boolean;
  features: string[];
  /** OS logical CPU numbers of the process's affinity mask, ascending; may be sparse. */
  cpus: number[];
  families: FamilyInfo[];
}

export interface ExecuteRequest {
  family: Family;
  /** Wall time in units of 10 s, u32. */
  epoch: number;
  /** u32. seed = H(family, epoch, index). */
  index: number;
  /** Distinct OS logical CPU numbers, 1 to 4096 of them. Run one after another. One that cannot run is NOT_RUN, never an error. */
  sms: number[];
  /** One or two distinct logical CPUs that compute the golden. With one, a mismatch is INCONCLUSIVE: only known answers can fail. */
  goldenCpus: [number, number] | [number];
}

/** Of the first wrong (lane, iteration), from the failing execution itself. */
export interface Mismatch {
  lane: number;
  /** Equal to the family's `iterations` if every word was right and the fold was wrong: no operands, words = the lane's digest. */
  iteration: number;
  /** Which pass over the operands failed; place in the vectors = (lane - turn) mod 8, where turn = round, and in fma64 0, 1, 4, 5 by round. */
  round: number;
  operands: Uint32Array;
  expected: Uint32Array;
  actual: Uint32Array;
  /** Digests of the SM. */
  expectedDigest: number;
  actualDigest: number;
  /** Wrong (lane, iteration) pairs in that pass. On a GPU: (warp, lane) pairs. */
  mismatchCount: number;
  /** On a GPU alone. */
  gpu?: MismatchPlace;
}

/** Where on an SM a wrong result was computed. */
export interface MismatchPlace {
  /** Of the block, 0..7. */
  warp: number;
  /** %warpid mod 4. */
  subPartition: number;
  /** Digests are compared every so many iterations: the wrong result lies in `iteration` .. `iteration` + withinIterations - 1. */
  withinIterations: number;
  /** Memory families: of the first wrong word, in bytes, in the shared memory or the arena; else null. */
  address?: number | null;
}

export interface SmResult {
  sm: number;
  result: Result;
  /** Why the result is neither PASS nor FAIL; else null. */
  reason: string | null;
  /** Fold over the lanes; 0 if the SM did not run. Never 0 if it ran. */
  digest: number;
  /** From the start of the call, microseconds. */
  startUs: number;
  durationUs: number;
  /** With FAIL, and with INCONCLUSIVE where results differed all the same. */
  mismatch: Mismatch | null;
}

/** The two golden CPUs computed different values; golden code then ran the committed known answers on both. */
export interface GoldenDispute {
  knownAnswers: { cpu: number; result: Result }[];
  /** The only one that disagrees with the known answers, if there is one. */
  accused: number | null;
  /** expected = the other golden CPU's words, actual = the accused's. */
  mismatch: Mismatch | null;
}

export interface ExecuteReport {
  /** True also with one golden CPU, which has nobody to disagree with. False if a golden could not run: see the results' reason. */
  goldenAgreed: boolean;
  goldenCpus: number[];
  /** Golden and operand buffers still had their checksum after the last SM. */
  goldenCrcOk: boolean;
  goldenDispute: GoldenDispute | null;
  /** 0 where no golden was agreed. */
  expectedDigest: number;
  wallUs: number;
  /** CPU time used, golden and comparison included, in microseconds per logical CPU. */
  cpuUs: { cpu: number; us: number }[];
  /** In the order of `sms`. */
  results: SmResult[];
}

export interface KnownAnswerResult {
  family: Family;
  /** Every committed answer was reproduced by golden code and by the unit. */
  passed: boolean;
  result: Result;
  reason: string | null;
  /** Answers tried; the first bad one is the last. */
  executed: number;
  firstBad: {
    epoch: number;
    index: number;
    /** Who disagreed with the file. */
    source: 'golden' | 'unit';
    expectedDigest: number;
    actualDigest: number;
    /** Of the unit against the golden of this SM, which the file confirmed. */
    mismatch: Mismatch | null;
  } | null;
}

export interface SlowdownRequest {
  family: Family;
  epoch: number;
  /** Of the first execution; it counts up. */
  index: number;
  /** Logical CPU whose work is slowed down. */
  cpu: number;
  goldenCpus: [number, number] | [number];
  /** At most, 1 to 1,000. */
  rounds: number;
  /** In each round, 1 to 16. */
  executions: number;
  /** Pause after each execution, 0 to 100. */
  gapMs: number;
  /** No round begins later, 1 to 60,000. */
  limitMs: number;
}

/** How far a job came: `steps` of equal work in `us` of wall time. */
export interface Progress {
  us: number;
  steps: number;
}

export interface SlowdownRound {
  /** While the executions ran. */
  probed: Progress;
  /** For as long right after them. */
  alone: Progress;
  /** Executions that ran to their end; others make the round worthless. */
  executed: number;
  /** What they were charged on that CPU, golden included where it computes one: `cpuUs` of their reports. */
  chargedUs: number;
}

/** What a job that never idles on `cpu` lost to executions there. */
export interface SlowdownReport {
  /** Why the job could not run, or was moved; then there are no rounds. */
  reason: string | null;
  rounds: SlowdownRound[];
}

/** What the addon exports. Synchronous; throws a TypeError that names the field for wrong arguments, and nothing else. */
export interface NativeProbes {
  info(): Info;
  execute(request: ExecuteRequest): ExecuteReport;
  /**
   * Executes by turns with phases without, while a thread of the process's priority computes integers on that CPU all the time: it
   * uses the whole CPU until `limitMs`, and is no measurement for a machine at work.
   */
  measureSlowdown(request: SlowdownRequest): SlowdownReport;
  /** One entry per available family. */
  knownAnswers(sm: number): KnownAnswerResult[];
}

/** A GPU, or a MIG instance of one, as the driver shows it. */
export interface GpuDevice {
  /** `GPU-…` or `MIG-…`, as in CUDA_VISIBLE_DEVICES. */
  uuid: string;
  name: string;
  computeCapability: [number, number];
  /** Which of the embedded kernels it would run, e.g. "sm_90a"; null: see `missing`. */
  architecture: string | null;
  /** Why it cannot be tested; else null. */
  missing: string | null;
  smCount: number;
  memoryBytes: number;
  l2Bytes: number;
  /** Of the whole GPU that a MIG instance is part of; else null. */
  parentUuid: string | null;
  serial: string | null;
  pciBusId: string | null;
  driverVersion: string | null;
  vbiosVersion: string | null;
  /** Newest that the driver serves. */
  cudaVersion: string | null;
}

export interface GpuCensus {
  /** The addon was built with kernels. */
  built: boolean;
  /** Why there is no CUDA here (no driver, kernels not built, error of the driver); else null. */
  missing: string | null;
  devices: GpuDevice[];
}

export interface GpuOpenRequest {
  uuid: string;
  /** Clamped to the device's range. */
  streamPriority: number;
  useGraphs: boolean;
  /** small = 128 threads and 8 KiB of shared memory, for sharing a GPU under MPS; auto = what the GPU allows. */
  variant: 'auto' | 'full' | 'small';
}

export interface GpuOpened {
  device: GpuDevice;
  /** Families of this architecture; those whose memory does not fit are not available. */
  families: FamilyInfo[];
  variant: 'full' | 'small';
  /** %smid of every SM that a first launch reached, ascending; may be sparse. */
  sms: number[];
  /** Entries of tables by %smid. */
  slots: number;
  arenaBytes: number;
  /** Mean cost of a context switch, measured by interleaved A/B against a fixed loop; added to every charge. */
  switchUs: number;
  /** False where there was no memory for the loop's context: switchUs is then an assumption. */
  switchMeasured: boolean;
  /** What that measurement took, once, of the GPU's time at most. */
  calibrationUs: number;
}

export interface GpuExecuteRequest {
  family: Family;
  epoch: number;
  index: number;
  /** SMs whose results are wanted; the launch covers all. */
  sms: number[];
  goldenCpus: [number, number] | [number];
}

export interface GpuExecuteReport extends ExecuteReport {
  gpu: {
    /** What the GPU's budget pays: max(host launch to completion, device start to end) + switchUs per launch. */
    chargedUs: number;
    /** max(end) - min(start) by %globaltimer. */
    deviceUs: number;
    hostUs: number;
    /** 1, plus one for each relaunch of missing SMs. */
    launches: number;
  };
}

/** Why NVML gave no answer. */
export interface NvmlError {
  /** The function that failed, e.g. "nvmlInit_v2"; "dlopen" where the library is missing. */
  call: string;
  /** NVML's return code; 12 (LIBRARY_NOT_FOUND) for "dlopen". */
  code: number;
  /** Its name without NVML_ERROR_, e.g. "GPU_IS_LOST". */
  name: string;
}

export interface GpuTelemetryRequest {
  /** Of a GPU or a MIG instance; an instance answers with its GPU's sensors and counters. */
  uuid: string;
  /** Read NVLink states and error counters. */
  nvlink: boolean;
  /** Read PCIe link and replay counters. */
  pcie: boolean;
}

/** Names, units and sources: docs/telemetry.md. A field that the device does not offer is absent, never zero. */
export type GpuTelemetry = Readonly<Record<string, number | string>>;

export interface GpuTelemetryReport {
  /** Why nothing could be read, or why reading ended early, e.g. GPU_IS_LOST; else null. */
  error: NvmlError | null;
  fields: GpuTelemetry;
}

export interface XidEvent {
  /** Of the GPU, or of the MIG instance where the driver names one. */
  uuid: string;
  /** 999 where the driver does not know it. */
  xid: number;
  /** Microseconds since the Unix epoch. */
  timeUs: number;
}

export interface GpuXidReport {
  /** Why Xids cannot be listened to; else null. */
  error: NvmlError | null;
  /** At most 64; the rest comes with the next call. */
  events: XidEvent[];
}

/** The CUDA and NVML part of the addon; the same rules. One GPU per process: gpuOpen may be called once. */
export interface NativeGpuProbes {
  /** Through NVML where it is there, else through CUDA. Makes no context. */
  gpuCensus(): GpuCensus;
  /**
   * Needs a process that sees the device (CUDA_VISIBLE_DEVICES, for a MIG instance).
   * @throws Error (code ERR_GPU) whose message says why the device cannot be opened
   */
  gpuOpen(request: GpuOpenRequest): GpuOpened;
  /**
   * An error of the driver is an ERROR result of every SM; after one, and after a kernel that did not end within 5 s, all later
   * calls are: "the device must be reopened", by another process.
   * @throws Error (code ERR_GPU) before gpuOpen
   */
  gpuExecute(request: GpuExecuteRequest): GpuExecuteReport;
  /**
   * The committed answers of every available family that has some, on all SMs: one entry per (SM, family). INCONCLUSIVE
   * where no SM, or fewer than half of them, reproduce a family's answers: its kernel does not fit this silicon, and what
   * it computes must not be judged. sfu has no answers: in one execution the SMs
   * are compared with each other, where there are three or more, and INCONCLUSIVE is a majority outside of the
   * documented errors, or none.
   * @throws Error (code ERR_GPU) before gpuOpen
   */
  gpuKnownAnswers(): (KnownAnswerResult & { sm: number })[];
  gpuTelemetry(request: GpuTelemetryRequest): GpuTelemetryReport;
  /** Xid events since the last call, of all devices. The first call begins to listen. Does not wait. */
  gpuXids(): GpuXidReport;
}

/** When a fault acts and what it does, on CPUs and GPUs alike. Probabilities are in (0, 1]. */
export interface FaultBehaviour {
  /** Per operation: a vector operation of a CPU, a result of a lane of a GPU, there at least 2^-32. Default 1, unless rateExec is given. */
  rate?: number | undefined;
  /**
   * Per execution; it hits one operation of the execution, on a CPU one where a change of the result shows. On a GPU the SMs are
   * drawn for each by itself.
   */
  rateExec?: number | undefined;
  /** published: the distribution of published fault statistics, in place of an effect. */
  preset?: 'published' | undefined;
  /** The rate is multiplied by exp(heat (T - heatReference)), T in degrees Celsius, at most to 1; T comes from heatFile. */
  heat?: number | undefined;
  /** Degrees Celsius; default 60. */
  heatReference?: number | undefined;
  /** Millidegrees Celsius, as sysfs gives them; read once per execution. */
  heatFile?: string | undefined;
  /** Acts only while clockFile says more than so many MHz. */
  clockAbove?: number | undefined;
  /** kHz, as sysfs gives them; read once per execution. */
  clockFile?: string | undefined;
  /** Gilbert-Elliott: probabilities per execution to enter and to leave the state in which the fault acts. Default: always in it. */
  burstEnter?: number | undefined;
  burstLeave?: number | undefined;
  /** Bits that the effect touches. 0 (default): one random bit each time. */
  mask?: number | undefined;
  /** Only results with (result & dataMask) === dataValue are touched. */
  dataMask?: number | undefined;
  dataValue?: number | undefined;
  /** Executions of the family that each core, or the GPU, computes rightly first. */
  onset?: number | undefined;
  /** Of the generator that decides when, where and what. */
  seed?: number | undefined;
  /** All cores, or all SMs, falsify alike, so that their wrong digests are equal. */
  same?: boolean | undefined;
}

/** A fault of CPUs that the test build imitates. */
export interface CpuFaultSpec extends FaultBehaviour {
  /** Distinct logical CPUs of the affinity mask, or all of them. */
  cores: number[] | 'all';
  family: Family;
  /**
   * result (default): a result on its way from the instruction to the fold; in cpu_reg that is what a register held. operand-a, -b, -c
   * (fma32, fma64): an operand on its way to the instruction. address (cpu_mem): another word of the buffer is read. digest: the digest of a lane. golden: an expected
   * word, as a faulty golden CPU would compute it. operand-buffer: an operand in memory after the golden was computed.
   * placement: the thread is moved away.
   */
  site?:
    | 'result'
    | 'operand-a'
    | 'operand-b'
    | 'operand-c'
    | 'address'
    | 'digest'
    | 'golden'
    | 'operand-buffer'
    | 'placement'
    | undefined;
  /**
   * Default flip. xor: a random pattern, two in five of a single bit, hardly ever giving NaN or infinity. ulp: one more or less in the
   * last place. swap: two lanes exchange their words. stale: what the operation before gave comes again.
   */
  effect?: 'flip' | 'stuck0' | 'stuck1' | 'xor' | 'ulp' | 'swap' | 'stale' | undefined;
  /** 0..7; default any. */
  lane?: number | undefined;
}

/**
 * A fault of GPUs that the test build imitates. It is kept in the process and acts on the GPU that is open, or opened later, from
 * the next execution on; its golden and the copies of `copy` are never touched. A process whose GPU is another one takes it too,
 * and nothing comes of it. Where the kernels cannot falsify, every result of an execution is an ERROR.
 */
export interface GpuFaultSpec extends FaultBehaviour {
  /** `GPU-…` or `MIG-…` as in GpuDevice.uuid; its place in gpuCensus(), from 0; or all. */
  gpu: string | number;
  /** %smid; default all. Refused where the GPU is open and has no such SM. */
  sm?: number | 'all' | undefined;
  /** 0..3: %warpid mod 4; default any. */
  subPartition?: number | 'any' | undefined;
  /** Of those that GPUs run. */
  family: Family;
  /** Results on their way to the fold; words that were read in smem, l2, hbm and copy, and what a register held in regfile. */
  site?: 'result' | undefined;
  /** As of CPUs; a GPU's lanes do not exchange or repeat words. */
  effect?: 'flip' | 'stuck0' | 'stuck1' | 'xor' | 'ulp' | undefined;
  /** 0..63, as in a mismatch; default any. */
  lane?: number | undefined;
}

export type FaultSpec = CpuFaultSpec | GpuFaultSpec;

export interface ExactnessReport {
  vectors: number;
  /** Of result words. */
  mismatches: number;
  /** `word`: which of the results. */
  first: { word: number; operands: Uint32Array; software: number; hardware: number } | null;
}

export interface CoverageRequest {
  family: 'fma32' | 'tc_fp16' | 'tc_bf16' | 'tc_tf32' | 'tc_fp8';
  epoch: number;
  /** fma32: logical lanes that one physical lane computes, one after the other. tc_*: a single place of the tile. */
  lanes: number[];
  iterations: number;
  /** Take every so many iterations; 8 leaves one operand class. Default 1. */
  step?: number | undefined;
}

/** Of a gate-level multiplier of the family's significands: how many faults of its gates a lane's results would show. */
export interface CoverageReport {
  /** Of each of the two kinds: two for every gate. */
  faults: number;
  stuckAtFound: number;
  transitionFound: number;
}

/** A seed of a GPU family, which is given by its number (sentinel.v1.ProbeFamily). */
export interface GpuSeed {
  family: number;
  epoch: number;
  index: number;
}

/** What every SM must compute, as the host does. */
export interface GpuGolden {
  /** [block][lane]: digest of each of the 64 lanes after each 32 iterations. */
  running: Uint32Array;
  smDigest: number;
  probeVersion: number;
  /** It has the checksum that was taken when it was written. */
  intact: boolean;
  /** CPU time of one golden. */
  us: number;
}

/** What the test build's addon exports besides. */
export interface NativeTestProbes extends NativeProbes {
  /** Null for a family that has no golden. */
  gpuGolden(seed: GpuSeed): GpuGolden | null;
  /** The words that a lane folds in one iteration; null without a golden. */
  gpuResults(of: GpuSeed & { lane: number; iteration: number }): Uint32Array | null;
  /** Binary32: exponent, positive, angle, middling (docs/definition.md). */
  sfuOperands(of: GpuSeed & { lane: number; iteration: number }): Uint32Array;
  /** Which results of 32 lanes and 32 iterations, [iteration][8 words][lane], are out of NVIDIA's documented errors. */
  sfuViolations(of: GpuSeed & { group: number; block: number; results: Uint32Array }): {
    count: number;
    first: { lane: number; iteration: number; word: number; operand: number; result: number } | null;
  };
  /** Fills a buffer of family copy, changes bit 0 of the word `flip`, and compares it. */
  copyCheck(of: GpuSeed & { firstColumn: number; regions: number; flip?: number | undefined }): {
    words: Uint32Array;
    fillUs: number;
    compareUs: number;
    /** Wrong words; what follows is of the first. */
    count: number;
    offset: number;
    region: number;
    warp: number;
    lane: number;
    column: number;
    expected: number;
    actual: number;
  };
  /**
   * Adds a fault, given as fields or as the text of a command line ("core=1,family=fma32,rate=0.01"; several cores: core=1+3; of a
   * GPU "gpu=0,sm=1,sub-partition=2,lane=5,family=fma32,rate=0.01"; names as in FaultSpec or with hyphens). null ends all. At most
   * 16 faults. May be called at any time between executions.
   */
  inject(fault: FaultSpec | string | null): void;
  /**
   * Words that faults changed since the addon was loaded, and when the first was: microseconds since the Unix epoch, null before. Of a
   * GPU they are read after each execution; this call does not wait for it.
   */
  falsified(): { count: number; firstUs: number | null };
  /**
   * Software arithmetic of a family, on vectors of the eight classes alike, against this CPU's scalar instructions; of fma16 and bf16
   * against big integers (`hardware` is then what those give).
   */
  exactness(options: { family: 'fma32' | 'fma64' | 'fma16' | 'bf16'; vectors: number; epoch: number }): ExactnessReport;
  multiplierCoverage(request: CoverageRequest): CoverageReport;
  /** One AES-128 block (four little-endian words), in software and through AES-NI. */
  aes(options: { key: Uint32Array; block: Uint32Array }): {
    encrypted: Uint32Array;
    decrypted: Uint32Array;
    hardwareEncrypted: Uint32Array;
    hardwareDecrypted: Uint32Array;
  };
}

/** Folder of the committed known answers, one JSON file per backend and family: `cpu/fma32.json`. */
export const knownAnswersPath: string;

/**
 * Path of the release's addon, or of the test build's.
 * @throws Error that says how to build it, if it is not built (unless mustExist is false).
 */
export function addonPath(options: { test: boolean; mustExist?: boolean }): string;

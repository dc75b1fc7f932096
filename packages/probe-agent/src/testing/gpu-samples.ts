import type { FamilyInfo, GpuDevice, GpuExecuteReport, GpuOpened } from '@sentinel/native-probes';

/** A GPU as a census shows it. */
export function seenGpu(uuid: string, fields: Partial<GpuDevice> = {}): GpuDevice {
  return {
    uuid,
    name: 'NVIDIA H100',
    computeCapability: [9, 0],
    architecture: 'sm_90a',
    missing: null,
    smCount: 4,
    memoryBytes: 80e9,
    l2Bytes: 50e6,
    parentUuid: null,
    serial: '1650',
    pciBusId: '0000:17:00.0',
    driverVersion: '535.183.01',
    vbiosVersion: '96.00.74.00.01',
    cudaVersion: '12.2',
    ...fields,
  };
}

export function gpuFamily(name: FamilyInfo['name'], fields: Partial<FamilyInfo> = {}): FamilyInfo {
  const instructions = ['FFMA'];
  return { name, probeVersion: 1, lanes: 64, iterations: 512, available: true, missing: null, instructions, ...fields };
}

/** The same GPU opened, with SM numbers of its own. */
export function openedGpu(device: GpuDevice, fields: Partial<GpuOpened> = {}): GpuOpened {
  return {
    device,
    families: [gpuFamily('fma32'), gpuFamily('smem')],
    variant: 'full',
    sms: [0, 2, 4, 6],
    slots: 8,
    arenaBytes: 64e6,
    switchUs: 12,
    switchMeasured: true,
    calibrationUs: 900,
    ...fields,
  };
}

/** What a launch on some SMs gives: all of them the same result. */
export function gpuReport(sms: readonly number[], result: 'PASS' | 'ERROR' = 'PASS'): GpuExecuteReport {
  const reason = result === 'ERROR' ? 'CUDA error 719' : null;
  return {
    goldenAgreed: true,
    goldenCpus: [0, 1],
    goldenCrcOk: true,
    goldenDispute: null,
    expectedDigest: 7,
    wallUs: 1_500,
    cpuUs: [
      { cpu: 0, us: 900 },
      { cpu: 1, us: 950 },
    ],
    results: sms.map((sm) => ({ sm, result, reason, digest: 7, startUs: 0, durationUs: 150, mismatch: null })),
    gpu: { chargedUs: 212, deviceUs: 180, hostUs: 200, launches: 1 },
  };
}

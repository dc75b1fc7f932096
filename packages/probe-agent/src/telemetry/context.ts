/** What a device was like when it was last read. A field that the device does not offer is absent. */
export interface DeviceContext {
  /** Of the GPU, or of the CPU package, degrees Celsius. */
  readonly temperatureC?: number;
  /** SM clock, or the mean clock of the device's CPUs, MHz. */
  readonly clockMhz?: number;
  readonly powerW?: number;
  /** NVML clock-event reasons, a bit set. */
  readonly clockEventReasons?: bigint;
  /** In the hottest fifth of the device's last day; false where it has no temperature. */
  readonly hot: boolean;
}

/** Where runs get their context from. */
export interface ContextSource {
  /** Undefined before the first reading, and while the last one is older than three intervals. */
  latest(deviceId: string): DeviceContext | undefined;
}

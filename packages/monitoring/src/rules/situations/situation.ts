/** What each alert is for, as samples of the services' metrics: one a minute, in the notation of `promtool test rules`. */
export interface Situation {
  readonly alert: string;
  /** What happened, in words. */
  readonly what: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes since the beginning at which the alert does not fire (yet, or any more), and one at which it does. */
  readonly quietAt: readonly number[];
  readonly firesAt: number;
  /** Of the alert, beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: 'info' | 'warning' | 'high' | 'critical';
  readonly summary: string;
  /** Where it is not simply the text of the rule. */
  readonly description?: string;
}

export const ENGINE = 'job="sentinel-correlation-engine",instance="engine:9090"';
export const ENGINE_2 = 'job="sentinel-correlation-engine",instance="engine-2:9090"';
export const LEDGER = 'job="sentinel-audit-ledger",instance="ledger:9091"';
export const AGENT = 'job="sentinel-probe-agent",instance="10.0.0.7:9092"';
export const AGENT_2 = 'job="sentinel-probe-agent",instance="10.0.0.8:9092"';
export const AGENT_INFO = { [`sentinel_agent_info{${AGENT},node="rack-7",version="1"}`]: '1x200' };
export const GPU_INFO = { [`sentinel_gpu_info{${ENGINE},gpu="GPU-1",node="rack-7",model="H100"}`]: '1x300' };
export const BUCKET = 'sentinel_correlation_processing_latency_seconds_bucket';

import type { DeviceTelemetry } from '@sentinel/contracts/sentinel/v1/health.js';
import { age, count, paint } from './format.js';
import { hang } from './wrap.js';

/** Bits of NVML's clock-event reasons that say that the device holds itself back. */
const CLOCK_EVENTS: readonly (readonly [bit: number, text: string])[] = [
  [0x4, 'power cap'],
  [0x8, 'hardware slowdown'],
  [0x20, 'thermal slowdown by software'],
  [0x40, 'thermal slowdown by hardware'],
  [0x80, 'power brake'],
];

type Values = Readonly<Record<string, number>>;

/** A line: its name, and parts that are left out where the device does not offer the field. */
type Line = readonly [name: string, parts: (values: Values) => readonly (string | undefined)[]];

const LINES: readonly Line[] = [
  ['temperature', (v) => [unit(v, 'temperature_c', '°C'), unit(v, 'temperature_memory_c', '°C', 'memory ')]],
  [
    'power',
    (v) => [first(v, ['power_instant_w', 'power_average_w', 'power_w'], 'W'), unit(v, 'power_limit_w', 'W', 'limit ')],
  ],
  [
    'clocks',
    (v) => [
      unit(v, 'clock_sm_mhz', 'MHz', 'SM '),
      unit(v, 'clock_memory_mhz', 'MHz', 'memory '),
      unit(v, 'clock_mean_mhz', 'MHz', 'mean '),
      unit(v, 'clock_min_mhz', 'MHz', 'lowest '),
      clockEvents(v),
    ],
  ],
  ['throttled', (v) => [plain(v, 'throttle_core_events', 'cores '), plain(v, 'throttle_package_events', 'package ')]],
  ['used', (v) => [unit(v, 'utilization_gpu_pct', '%', 'GPU '), unit(v, 'utilization_memory_pct', '%', 'memory ')]],
  [
    'ECC errors',
    (v) => [
      bad(v, 'ecc_uncorrected_volatile_total', 'uncorrected '),
      plain(v, 'ecc_corrected_volatile_total', 'corrected '),
      bad(v, 'ecc_uncorrected_aggregate_total', 'in its life uncorrected '),
      plain(v, 'ecc_corrected_aggregate_total', 'corrected '),
    ],
  ],
  [
    'memory',
    (v) => [
      plain(v, 'rows_remapped_corrected', 'rows remapped for corrected errors '),
      plain(v, 'rows_remapped_uncorrected', 'for uncorrected ones '),
      flag(v, 'row_remap_pending', 'a remapping waits for a reset'),
      flag(v, 'row_remap_failed', 'a remapping failed'),
      plain(v, 'retired_pages_double_bit', 'pages retired for double-bit errors '),
      bad(v, 'memory_uncorrected_errors', 'uncorrected errors of the machine '),
      plain(v, 'memory_corrected_errors', 'corrected '),
    ],
  ],
  ['machine', (v) => [bad(v, 'machine_checks', 'machine checks ')]],
  [
    'PCIe',
    (v) => [
      unit(v, 'pcie_link_generation', '', 'generation '),
      unit(v, 'pcie_link_width', '', 'width '),
      plain(v, 'pcie_replays', 'replays '),
    ],
  ],
  [
    'NVLink',
    (v) => [
      links(v),
      plain(v, 'nvlink_replay_errors', 'replays '),
      plain(v, 'nvlink_recovery_errors', 'recoveries '),
      plain(v, 'nvlink_crc_flit_errors', 'CRC errors '),
    ],
  ],
];

/** What a device's sensors said last; a field that it does not offer has no place here. */
export function telemetryLines(telemetry: DeviceTelemetry | undefined, nowUs: bigint): string[] {
  if (telemetry === undefined) return [];
  const { values, texts } = telemetry;
  const lines: (readonly [string, readonly (string | undefined)[]])[] = [
    ...LINES.map(([name, parts]) => [name, parts(values)] as const),
    ['fabric', [texts['fabric_state']]],
    [
      'versions',
      [
        version(texts, 'driver_version', 'driver '),
        version(texts, 'cuda_version', 'CUDA '),
        version(texts, 'vbios', 'VBIOS '),
      ],
    ],
    ['part of', [texts['parent_uuid']]],
    ['not offered', [texts['not_offered']]],
  ];
  const shown = lines.flatMap(([name, parts]) => {
    const present = parts.filter((part) => part !== undefined);
    return present.length === 0 ? [] : hang(`  ${name.padEnd(11)}  `, present.join(', '));
  });
  return ['', `${paint('bold', 'Sensors')}, read ${age(telemetry.timeUs, nowUs)}`, ...shown];
}

function unit(values: Values, name: string, symbol: string, before = ''): string | undefined {
  const value = values[name];
  return value === undefined ? undefined : `${before}${Math.round(value * 10) / 10} ${symbol}`.trimEnd();
}

function first(values: Values, names: readonly string[], symbol: string): string | undefined {
  const name = names.find((candidate) => values[candidate] !== undefined);
  return name === undefined ? undefined : unit(values, name, symbol);
}

function plain(values: Values, name: string, before: string): string | undefined {
  const value = values[name];
  return value === undefined ? undefined : `${before}${count(value)}`;
}

/** A counter that should stay at zero. */
function bad(values: Values, name: string, before: string): string | undefined {
  const text = plain(values, name, before);
  return text === undefined || values[name] === 0 ? text : paint('red', text);
}

function flag(values: Values, name: string, text: string): string | undefined {
  return values[name] === 1 ? paint('red', text) : undefined;
}

function links({ nvlink_links: all, nvlink_links_active: active }: Values): string | undefined {
  if (all === undefined || active === undefined) return undefined;
  const text = `${active} of ${all} links up`;
  return active < all ? paint('yellow', text) : text;
}

function clockEvents({ clock_event_reasons: reasons = 0 }: Values): string | undefined {
  const held = CLOCK_EVENTS.filter(([bit]) => Math.floor(reasons / bit) % 2 === 1).map(([, text]) => text);
  return held.length === 0 ? undefined : `held back by ${held.join(' and ')}`;
}

function version(texts: Readonly<Record<string, string>>, name: string, before: string): string | undefined {
  const text = texts[name];
  return text === undefined ? undefined : `${before}${text}`;
}

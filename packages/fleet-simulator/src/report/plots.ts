import { spoken } from './hours.js';
import type { Summary } from './summary.js';

const WIDTH = 760;
const HEIGHT = 240;
const LEFT = 48;
const BOTTOM = 28;
const TOP = 12;
const RIGHT = 12;
/** Shortest time on a logarithmic axis: a run cannot be seen sooner. */
const FIRST_HOURS = 1 / 60;

/** Share of values that are no later, over hours on a logarithmic axis. Plain SVG, colours from the page. */
export function shareSoonerPlot(hours: readonly (number | null)[]): string {
  const known = hours.flatMap((value) => value ?? []).sort((a, b) => a - b);
  const last = Math.max(FIRST_HOURS * 10, known.at(-1) ?? 0) * 1.2;
  const [from, until] = [Math.log(FIRST_HOURS), Math.log(last)];
  const x = (value: number): number =>
    LEFT + ((Math.log(Math.max(value, FIRST_HOURS)) - from) / (until - from)) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
  const steps = known.map((value, i) => `H${at(x(value))}V${at(y((i + 1) / hours.length))}`).join('');
  const ticks = [1 / 60, 1 / 6, 1, 6, 24, 24 * 7, 24 * 30, 24 * 180].filter((value) => value <= last);
  const axisX = ticks.map((value) => tickX(x(value), spoken(value))).join('');
  const axisY = [0, 0.5, 1].map((share) => tickY(y(share), `${share * 100} %`)).join('');
  const curve = `<path d="M${LEFT},${at(y(0))}${steps}H${WIDTH - RIGHT}" fill="none" stroke="var(--c)" stroke-width="2"/>`;
  return svg(axisX + axisY + curve, 'Share of GPUs quarantined over time');
}

/** How many GPUs were suspect and out of service over the time of one run, and its incidents. */
export function levelPlot({ timeline, incidents }: Summary['first'], hours: number): string {
  const highest = Math.max(1, ...timeline.map(({ suspect, out }) => Math.max(suspect, out)));
  const start = Math.min(0, ...timeline.map(({ atHours }) => atHours));
  const span = Math.max(1e-9, hours - start);
  const x = (value: number): number => LEFT + ((value - start) / span) * (WIDTH - LEFT - RIGHT);
  const y = (count: number): number => HEIGHT - BOTTOM - 14 - (count / highest) * (HEIGHT - BOTTOM - 14 - TOP);
  const line = (of: 'suspect' | 'out', colour: string): string => {
    const steps = timeline.map((level) => `H${at(x(level.atHours))}V${at(y(level[of]))}`).join('');
    return `<path d="M${LEFT},${at(y(0))}${steps}H${WIDTH - RIGHT}" fill="none" stroke="var(--${colour})" stroke-width="2"/>`;
  };
  const bars = incidents.map(({ openedHours, closedHours }) => {
    const [from, until] = [x(openedHours), x(closedHours ?? hours)];
    return `<rect x="${at(from)}" y="${HEIGHT - BOTTOM - 10}" width="${at(Math.max(2, until - from))}" height="6" fill="var(--c)" opacity=".6"/>`;
  });
  const axisX = evenHours(start, hours).map((value) => tickX(x(value), inUnitOf(span, value)));
  const axisY = [0, highest].map((count) => tickY(y(count), String(count)));
  const names = `${name(LEFT + 8, 'a', 'suspect')}${name(LEFT + 80, 'b', 'out of service')}${name(LEFT + 190, 'c', 'incidents')}`;
  return svg([...axisX, ...axisY, line('suspect', 'a'), line('out', 'b'), ...bars, names].join(''), 'GPUs by state');
}

function svg(content: string, label: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 4}" role="img" aria-label="${label}">${content}</svg>`;
}

function tickX(x: number, label: string): string {
  const anchor = x > WIDTH - 40 ? 'end' : 'middle';
  return `<line x1="${at(x)}" x2="${at(x)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="var(--line)"/><text x="${at(x)}" y="${HEIGHT - 8}" text-anchor="${anchor}">${label}</text>`;
}

function tickY(y: number, label: string): string {
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y)}" y2="${at(y)}" stroke="var(--line)"/><text x="${LEFT - 8}" y="${at(y + 4)}" text-anchor="end">${label}</text>`;
}

function name(x: number, colour: string, text: string): string {
  return `<rect x="${x}" y="${TOP}" width="10" height="10" fill="var(--${colour})"/><text x="${x + 14}" y="${TOP + 10}">${text}</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Spans of two marks of an axis, in hours. */
const STEPS = [1 / 60, 1 / 12, 1 / 4, 1, 3, 6, 24, 72, 168, 336, 720, 2160, 8760];
const MAX_TICKS = 7;

/** Round hours from one end of an axis to the other; time 0 is one of them where it lies between. */
function evenHours(from: number, until: number): number[] {
  const step = STEPS.find((hours) => (until - from) / hours <= MAX_TICKS) ?? (until - from) / MAX_TICKS;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(until / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** All marks of one axis have the unit that its whole span asks for. */
function inUnitOf(span: number, hours: number): string {
  if (span < 3) return `${Math.round(hours * 60)} min`;
  return span < 72 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
}

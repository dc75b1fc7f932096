/*
 * Makes the report of an evidence pack again from its entries, which verify.mjs has proved: report.json and report.csv, byte by byte.
 * What each figure counts is told by definitions.json beside this file, and never by the pack.
 */
import fs from 'node:fs';

/** Of each version and framework. */
const DEFINITIONS = JSON.parse(fs.readFileSync(new URL('definitions.json', import.meta.url), 'utf8'));
const FORMAT = 'sentinel-audit-report/2';
const TYPES = ['probe', 'anomaly', 'decision', 'agreement', 'configuration', 'system', 'approval'];
const HOUR = 3_600_000_000;
const [MAX_CITED, MAX_ACTIONS, MAX_RANGES, MAX_REASON] = [25, 10_000, 500, 300];

const text = (value) => (['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '');
const byCodeUnit = (a, b) => (a < b ? -1 : 1);
const sumOf = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
export const iso = (us) => new Date(Math.floor(us / 1000)).toISOString();
export const jsonFile = (value) => `${JSON.stringify(value, null, 1)}\n`;

/** Title and controls by which a report says that it was counted; undefined where nobody defined them. */
export function definitionOf({ format, framework, definitions: version }) {
  const known = format === FORMAT && Number.isSafeInteger(version) && Object.hasOwn(DEFINITIONS, version);
  return known && Object.hasOwn(DEFINITIONS[version], framework) ? DEFINITIONS[version][framework] : undefined;
}

function selects({ type, event, where = [] }, leaf, detail) {
  const holds = ({ field, is, not, not_field: other }) => {
    const value = text(detail[field]);
    return (
      (is === undefined || value === text(is)) &&
      (not === undefined || value !== text(not)) &&
      (other === undefined || value !== text(detail[other]))
    );
  };
  return type === leaf.type && event === detail.event && where.every(holds);
}

/** Takes every entry of the range, in order; gives all that a report states of them. */
export class Recount {
  total = 0;
  details = 0;
  gone = 0;
  /** When the first and the last entry that is there were taken. */
  times = [];
  seals = { inside: 0, agree: 0, first: null, last: null, broken: 0 };
  /** Entries that seals alone count, by type. */
  pruned = new Map();
  #types = new Map();
  #events = new Map();
  #hours = new Set();
  #pending = [];
  #sealed;
  #sealSeqs = [];
  #actions = [];
  #approvals = new Map();
  #facts = new Map();
  #first;
  #controls;
  #figures;

  constructor(controls, first) {
    this.#controls = controls;
    this.#first = first;
    this.#figures = controls
      .flatMap(({ shows }) => shows)
      .map((definition) => ({ definition, sums: [0, 0], values: [new Set(), new Set()], cited: [] }));
  }

  get figures() {
    return this.#figures.length;
  }

  take(seq, leaf, detail) {
    this.total += 1;
    this.details += detail === undefined ? 0 : 1;
    this.gone += leaf === undefined ? 1 : 0;
    this.#pending.push([seq, leaf?.type]);
    if (leaf === undefined) return;
    this.times = [this.times[0] ?? leaf.receivedUs, leaf.receivedUs];
    const side = leaf.injected ? 'injected' : 'entries';
    this.#typeCount(leaf.type)[side] += 1;
    if (leaf.producer !== 'ledger') this.#hours.add(Math.floor(leaf.receivedUs / HOUR));
    if (detail !== undefined) this.#read(seq, leaf, detail, side);
  }

  #read(seq, leaf, detail, side) {
    const { receivedUs, eventUs, type, gpu, injected } = leaf;
    const event = text(detail.event);
    const name = `${type}/${event}`;
    if (!this.#events.has(name)) this.#events.set(name, { type, event, entries: 0, injected: 0 });
    this.#events.get(name)[side] += 1;
    if (type === 'system' && leaf.producer === 'ledger' && event === 'seal') this.#seal(seq, detail);
    const acted = text(detail.actor) !== '' || text(detail.proposed_by) !== '';
    if (acted) this.#act(seq, leaf, detail);
    const counted = this.#figures.filter((figure) => this.#count(figure, seq, leaf, detail)).length > 0;
    if (!acted && !counted && event !== 'seal') return;
    const actor = text(detail.actor);
    this.#facts.set(seq, { seq, received: iso(receivedUs), time: iso(eventUs), type, event, gpu, injected, actor });
  }

  #typeCount(type) {
    if (!this.#types.has(type)) this.#types.set(type, { entries: 0, injected: 0, pruned: 0 });
    return this.#types.get(type);
  }

  #count({ definition: { count, of }, sums, values, cited }, seq, leaf, detail) {
    if (!of.some((selector) => selects(selector, leaf, detail))) return false;
    const side = leaf.injected ? 1 : 0;
    const added = detail[count.sum];
    sums[side] += count.sum === undefined ? 1 : typeof added === 'number' ? added : 0;
    if (count.distinct !== undefined) values[side].add(text(detail[count.distinct]));
    return cited.push(seq) > 0;
  }

  /** What a seal states of its range against what is there: the difference must be what was pruned. */
  #seal(seq, { first, last, counts }) {
    if (typeof first !== 'number' || typeof last !== 'number' || typeof counts !== 'object' || counts === null) return;
    this.#sealSeqs.push(seq);
    if (this.#sealed !== undefined && first !== this.#sealed + 1) this.seals.broken += 1;
    this.#sealed = last;
    if (first >= this.#first) {
      const left = new Map(Object.entries(counts));
      let gone = 0;
      for (const [at, type] of this.#pending)
        if (at >= first && at <= last) {
          if (type === undefined) gone += 1;
          else left.set(type, (left.get(type) ?? 0) - 1);
        }
      const rest = [...left.values()];
      Object.assign(this.seals, { inside: this.seals.inside + 1, first: this.seals.first ?? first, last });
      if (rest.every((n) => n >= 0) && sumOf(rest) === gone) {
        this.seals.agree += 1;
        for (const [type, n] of left) if (n > 0) this.pruned.set(type, (this.pruned.get(type) ?? 0) + n);
      }
    }
    this.#pending = this.#pending.filter(([at]) => at > last);
  }

  #act(seq, leaf, detail) {
    const [actor, proposedBy, event] = [detail.actor, detail.proposed_by, detail.event].map(text);
    const persons = proposedBy === '' ? 'engine and one person' : actor === proposedBy ? 'one person' : 'two persons';
    if (event === 'approval_approved') this.#approvals.set(text(detail.directive), persons);
    const [from, to] = [text(detail.from), text(detail.to)];
    const moved = from !== '' && to !== '' ? `${from} to ${to}` : '';
    const what = moved || text(detail.action) || text(detail.incident) || text(detail.version);
    const reason = text(detail.decision_reason) || text(detail.actor_reason) || text(detail.reason);
    const { gpu, injected } = leaf;
    const row = { seq, time: iso(leaf.eventUs), event, gpu, node: text(detail.node), injected, what, actor };
    const order = text(detail.directive) || text(detail.order);
    this.#actions.push({ row: { ...row, proposed_by: proposedBy }, reason: reason.slice(0, MAX_REASON), order });
  }

  /** The whole report, as it is written. */
  report({ framework, definitions, title, log, period: { from, to }, first, last }) {
    const [first_received, last_received] = [0, 1].map((i) => iso(this.times[i] ?? 0));
    const period = { from, to, first, last, first_received, last_received };
    return { format: FORMAT, framework, definitions, title, log, period, ...this.#finish() };
  }

  #finish() {
    for (const [type, n] of this.pruned) this.#typeCount(type).pruned += n;
    const figures = this.#figures.map(({ definition, sums, values, cited }) => {
      const [value, injected] = definition.count.distinct === undefined ? sums : values.map((set) => set.size);
      const more = Math.max(cited.length - MAX_CITED, 0);
      return { ...definition, value, injected, cited: cited.slice(-MAX_CITED), more };
    });
    const actions = this.#actions.slice(-MAX_ACTIONS).map(({ row, reason, order }) => ({
      ...row,
      persons: this.#approvals.get(order) ?? 'one person',
      reason,
    }));
    const cited = [
      ...figures.flatMap((figure) => figure.cited),
      ...actions.map(({ seq }) => seq),
      ...this.#sealSeqs.slice(-MAX_CITED),
    ];
    return {
      entries: {
        total: this.total,
        by_type: Object.fromEntries(TYPES.filter((t) => this.#types.has(t)).map((t) => [t, this.#types.get(t)])),
        details: this.details,
        details_missing: this.total - this.details,
        leaves_pruned: this.gone,
        pruned_of_unknown_type: this.gone - sumOf([...this.pruned.values()]),
      },
      events: [...this.#events.keys()].sort(byCodeUnit).map((name) => this.#events.get(name)),
      seals: this.seals,
      hours: this.#silence(),
      controls: this.#controls.map((control) => ({ ...control, shows: control.shows.map(() => figures.shift()) })),
      actions,
      actions_more: this.#actions.length - actions.length,
      cited: [...new Set(cited)].sort((a, b) => a - b).map((seq) => this.#facts.get(seq)),
    };
  }

  /** Hours of the clock in which nobody said anything. */
  #silence() {
    const [first, last] = [0, 1].map((i) => Math.floor((this.times[i] ?? 0) / HOUR));
    const heard = [...this.#hours].sort((a, b) => a - b);
    const ranges = [];
    for (const [i, hour] of [...heard, last + 1].entries()) {
      const from = i === 0 ? first : heard[i - 1] + 1;
      if (from < hour) ranges.push([from, hour]);
    }
    return {
      from: iso(first * HOUR),
      to: iso((last + 1) * HOUR),
      total: last - first + 1,
      silent: sumOf(ranges.map(([from, to]) => to - from)),
      silent_ranges: ranges.slice(0, MAX_RANGES).map((range) => range.map((hour) => iso(hour * HOUR))),
    };
  }
}

const COLUMNS =
  'section,control,figure,label,value,injected,seq,time,event,gpu,what,actor,proposed_by,persons,reason'.split(',');

/** report.csv: RFC 4180; a cell that begins like a formula gets a quote before it. */
export function csvOf(report) {
  const { log, period, entries, seals, hours, events, controls, actions } = report;
  const facts = [
    ['origin', 'Log', log.origin],
    ['size', 'Entries that the checkpoint signs', log.size],
    ['first', 'First entry of the period', period.first],
    ['last', 'Last entry of the period', period.last],
    ['first_received', 'Taken at', period.first_received],
    ['last_received', 'Taken at', period.last_received],
    ['details_missing', 'Entries whose details are gone', entries.details_missing],
    ['leaves_pruned', 'Entries that are gone, by the seals', entries.leaves_pruned],
    ['seals', 'Seals within the period', seals.inside],
    ['seals_agree', 'Seals that agree with the entries', seals.agree],
    ['hours', 'Hours', hours.total],
    ['hours_silent', 'Hours in which nothing was logged', hours.silent],
  ];
  const rows = [
    Object.fromEntries(COLUMNS.map((column) => [column, column])),
    ...facts.map(([figure, label, value]) => ({ section: 'log', figure, label, value })),
    ...Object.entries(entries.by_type).map(([type, { entries: value, injected }]) => ({
      section: 'types',
      figure: type,
      label: `Entries of type ${type}`,
      value,
      injected,
    })),
    ...events.map(({ type, event, entries: value, injected }) => ({
      section: 'events',
      figure: type,
      label: event,
      value,
      injected,
    })),
    ...controls.flatMap(({ id: control, shows }) =>
      shows.map(({ id, label, value, injected }) => ({
        section: 'controls',
        control,
        figure: id,
        label,
        value,
        injected,
      })),
    ),
    ...hours.silent_ranges.map(([from, to]) => ({ section: 'silent', time: from, what: `until ${to}` })),
    ...actions.map((action) => ({ ...action, section: 'actions', injected: action.injected ? 1 : 0 })),
  ];
  return rows.map((row) => `${COLUMNS.map((column) => csvCell(row[column] ?? '')).join(',')}\r\n`).join('');
}

function csvCell(value) {
  const shown = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

/*
 * Counts a report again from the entries of an evidence pack, by the definitions that the report carries. Used by verify.mjs, which
 * has proved the entries. Nothing here is taken from the report but what each figure is to count.
 */

const text = (value) => (['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '');
export const iso = (us) => new Date(Math.floor(us / 1000)).toISOString();
const HOUR = 3_600_000_000;

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

/** Takes every entry of the period, in order; gives all that a report states of them. */
export class Recount {
  constructor(controls, first) {
    Object.assign(this, {
      controls,
      first,
      total: 0,
      details: 0,
      gone: 0,
      types: {},
      events: {},
      hours: new Set(),
      pending: [],
    });
    this.figures = controls
      .flatMap(({ shows }) => shows)
      .map((definition) => ({ definition, sums: [0, 0], values: [new Set(), new Set()], cited: [] }));
    this.seals = { inside: 0, agree: 0, first: null, last: null, broken: 0 };
    Object.assign(this, {
      sealed: undefined,
      sealSeqs: [],
      pruned: {},
      actions: [],
      approvals: {},
      facts: new Map(),
      times: [],
    });
  }

  take(seq, leaf, detail) {
    this.total += 1;
    this.details += detail === undefined ? 0 : 1;
    this.gone += leaf === undefined ? 1 : 0;
    this.pending.push([seq, leaf?.type]);
    if (leaf === undefined) return;
    this.times = [this.times[0] ?? leaf.receivedUs, leaf.receivedUs];
    const side = leaf.injected ? 'injected' : 'entries';
    this.typeCount(leaf.type)[side] += 1;
    if (leaf.producer !== 'ledger') this.hours.add(Math.floor(leaf.receivedUs / HOUR));
    if (detail === undefined) return;
    const name = `${leaf.type}/${text(detail.event)}`;
    this.events[name] ??= { type: leaf.type, event: text(detail.event), entries: 0, injected: 0 };
    this.events[name][side] += 1;
    if (leaf.producer === 'ledger' && detail.event === 'seal') this.seal(seq, detail);
    const acted = text(detail.actor) !== '' || text(detail.proposed_by) !== '';
    if (acted) this.act(seq, leaf, detail);
    const counted = this.figures.filter((figure) => this.count(figure, seq, leaf, detail)).length > 0;
    if (!acted && !counted && detail.event !== 'seal') return;
    const { receivedUs, eventUs, type, gpu, injected } = leaf;
    this.facts.set(seq, {
      seq,
      received: iso(receivedUs),
      time: iso(eventUs),
      type,
      event: text(detail.event),
      gpu,
      injected,
      actor: text(detail.actor),
    });
  }

  typeCount(type) {
    this.types[type] ??= { entries: 0, injected: 0, pruned: 0 };
    return this.types[type];
  }

  count({ definition: { count, of }, sums, values, cited }, seq, leaf, detail) {
    if (!of.some((selector) => selects(selector, leaf, detail))) return false;
    const side = leaf.injected ? 1 : 0;
    sums[side] += count.sum === undefined ? 1 : Number(detail[count.sum] ?? 0);
    values[side].add(text(detail[count.distinct]));
    return cited.push(seq) > 0;
  }

  /** What a seal states of its range against what is there: the difference must be what was pruned. */
  seal(seq, { first, last, counts }) {
    this.sealSeqs.push(seq);
    if (this.sealed !== undefined && first !== this.sealed + 1) this.seals.broken += 1;
    this.sealed = last;
    if (first >= this.first) {
      const left = { ...counts };
      let gone = 0;
      for (const [at, type] of this.pending)
        if (at >= first && at <= last) {
          if (type === undefined) gone += 1;
          else left[type] = (left[type] ?? 0) - 1;
        }
      const rest = Object.values(left);
      Object.assign(this.seals, { inside: this.seals.inside + 1, first: this.seals.first ?? first, last });
      if (rest.every((n) => n >= 0) && rest.reduce((sum, n) => sum + n, 0) === gone) {
        this.seals.agree += 1;
        for (const [type, n] of Object.entries(left)) if (n > 0) this.pruned[type] = (this.pruned[type] ?? 0) + n;
      }
    }
    this.pending = this.pending.filter(([at]) => at > last);
  }

  act(seq, leaf, detail) {
    const [actor, proposedBy] = [text(detail.actor), text(detail.proposed_by)];
    const persons = proposedBy === '' ? 'engine and one person' : actor === proposedBy ? 'one person' : 'two persons';
    if (detail.event === 'approval_approved') this.approvals[text(detail.directive)] = persons;
    const [from, to] = [text(detail.from), text(detail.to)];
    const what =
      from !== '' && to !== ''
        ? `${from} to ${to}`
        : text(detail.action) || text(detail.incident) || text(detail.version);
    const reason = (text(detail.decision_reason) || text(detail.actor_reason) || text(detail.reason)).slice(0, 300);
    const row = {
      seq,
      time: iso(leaf.eventUs),
      event: text(detail.event),
      gpu: leaf.gpu,
      node: text(detail.node),
      injected: leaf.injected,
      what,
      actor,
      proposed_by: proposedBy,
    };
    this.actions.push({ row, reason, order: text(detail.directive) || text(detail.order) });
  }

  finish(report) {
    for (const [type, n] of Object.entries(this.pruned)) this.typeCount(type).pruned += n;
    const pruned = Object.values(this.pruned).reduce((sum, n) => sum + n, 0);
    const figures = this.figures.map(({ definition, sums, values, cited }) => {
      const [value, injected] = definition.count.distinct === undefined ? sums : values.map((set) => set.size);
      return { ...definition, value, injected, cited: cited.slice(-25), more: Math.max(cited.length - 25, 0) };
    });
    const rows = this.actions.map(({ row, reason, order }) => ({
      ...row,
      persons: this.approvals[order] ?? 'one person',
      reason,
    }));
    const actions = rows.slice(-10_000);
    const seqs = [
      ...figures.flatMap(({ cited }) => cited),
      ...actions.map(({ seq }) => seq),
      ...this.sealSeqs.slice(-25),
    ];
    const [fromHour, toHour] = [0, 1].map((i) => Math.floor((this.times[i] ?? 0) / HOUR));
    const quiet = Array.from({ length: toHour - fromHour + 1 }, (_, i) => fromHour + i).filter(
      (hour) => !this.hours.has(hour),
    );
    const ranges = quiet
      .filter((hour, i) => quiet[i - 1] !== hour - 1)
      .map((hour) => [hour, quiet.find((end, i) => end >= hour && quiet[i + 1] !== end + 1) + 1]);
    return {
      entries: {
        total: this.total,
        by_type: this.types,
        details: this.details,
        details_missing: this.total - this.details,
        leaves_pruned: this.gone,
        pruned_of_unknown_type: this.gone - pruned,
      },
      events: Object.keys(this.events)
        .sort()
        .map((name) => this.events[name]),
      seals: this.seals,
      hours: {
        from: iso(fromHour * HOUR),
        to: iso((toHour + 1) * HOUR),
        total: toHour - fromHour + 1,
        silent: quiet.length,
        silent_ranges: ranges.slice(0, 500).map((range) => range.map((hour) => iso(hour * HOUR))),
      },
      controls: report.controls.map((control) => ({ ...control, shows: control.shows.map(() => figures.shift()) })),
      actions,
      actions_more: rows.length - actions.length,
      cited: [...new Set(seqs)].sort((a, b) => a - b).map((seq) => this.facts.get(seq)),
    };
  }
}

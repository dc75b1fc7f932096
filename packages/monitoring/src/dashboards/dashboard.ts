import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './panels.js';

/** By which the dashboards find each other. */
export const TAG = 'sentinel';

export const UIDS = {
  fleet: 'sentinel-fleet',
  gpu: 'sentinel-gpu',
  engine: 'sentinel-engine',
  ledger: 'sentinel-ledger',
  training: 'sentinel-training',
  inference: 'sentinel-inference',
} as const;

export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** How far back it looks, as Grafana writes it: now-6h. */
  readonly from: string;
  /** Variables whose values are those of a label. */
  readonly variables?: readonly VariableSpec[];
  readonly rows: readonly Row[];
}

export interface VariableSpec {
  readonly name: string;
  readonly label: string;
  /** As Grafana asks Prometheus: label_values(metric, label). */
  readonly query: string;
  /** Several at once, and all; otherwise one. */
  readonly several: boolean;
}

/** Read-only, with links to the others of the tag, and numbers for the panels in their order. */
export function dashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .readonly()
    .refresh('30s')
    .time({ from: spec.from, to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('SENTINEL')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .keepTime(true)
        .includeVars(false),
    )
    .link(
      new DashboardLinkBuilder('Runbooks')
        .type(DashboardLinkType.Link)
        .icon('doc')
        .targetBlank(true)
        .url('https://github.com/sentinel-sdc/sentinel/blob/main/docs/monitoring.md'),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const variable of spec.variables ?? []) builder.withVariable(labelVariable(variable));
  for (const { title, panels } of spec.rows) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return numbered(builder.build());
}

function labelVariable({ name, label, query, several }: VariableSpec): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(several)
    .includeAll(several);
  return several ? builder.allValue('.*') : builder;
}

/** The SDK leaves numbers to Grafana, which would give others to the same panels with each import, and hides links in a menu. */
function numbered(made: Dashboard): Dashboard {
  for (const link of made.links ?? []) delete link.placement;
  for (const [index, panel] of (made.panels ?? []).entries()) panel.id = index + 1;
  return made;
}

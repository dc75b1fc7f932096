/** The kinds of panels that the dashboards are made of. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DataTransformerConfig,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** Whatever data source the dashboard's own variable names: a dashboard that is imported elsewhere asks for it. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };

export interface Query {
  readonly expr: string;
  /** Of its series; labels in double braces. */
  readonly legend?: string;
}

export interface PanelSpec {
  readonly title: string;
  /** For the person who sees it for the first time: what it shows, and what is wrong when it looks wrong. */
  readonly description: string;
  /** As Grafana names units. */
  readonly unit: string;
  /** Of 24 columns; of rows of 30 pixels. */
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  /** What stands there without a sample: why there may be none. */
  readonly noValue: string;
  /** Colour from a value on; the first is that of all below. */
  readonly steps?: readonly Step[];
  /** Text and colour in place of single values. */
  readonly names?: Names;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly links?: readonly { readonly title: string; readonly url: string }[];
}

/** By value. */
export type Names = Readonly<Record<string, { readonly text: string; readonly color: string }>>;

export type Step = readonly [from: number | null, color: string];

/** What all panels have, whichever kind they are. */
interface CommonBuilder extends Builder<Panel> {
  title(text: string): this;
  description(text: string): this;
  datasource(ref: { type: string; uid: string }): this;
  unit(unit: string): this;
  span(width: number): this;
  height(height: number): this;
  noValue(text: string): this;
  min(value: number): this;
  max(value: number): this;
  decimals(count: number): this;
  mappings(mappings: ValueMapping[]): this;
  thresholds(config: Builder<{ mode: ThresholdsMode; steps: Threshold[] }>): this;
  dataLinks(links: Builder<DashboardLink>[]): this;
  withTarget(target: Builder<Dataquery>): this;
}

/** One value, as large as it may be. */
export function stat(spec: PanelSpec): Builder<Panel> {
  return common(new StatBuilder(), { height: 4, ...spec }, 'instant')
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
}

export interface LinesSpec extends PanelSpec {
  /** One upon the other: parts of a whole. */
  readonly stacked?: boolean;
  /** Counts of single events rather than a course. */
  readonly bars?: boolean;
}

/** Values over time. */
export function lines({ stacked = false, bars = false, ...spec }: LinesSpec): Builder<Panel> {
  return common(new TimeseriesBuilder(), spec, 'range')
    .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked || bars ? 40 : 8)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName));
}

/** States over time, a bar for each series. */
export function timeline(spec: PanelSpec): Builder<Panel> {
  return common(new TimelineBuilder(), spec, 'range')
    .mergeValues(true)
    .fillOpacity(75)
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).showLegend(true).calcs([]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
}

export interface TableSpec extends PanelSpec {
  /** Columns in their order: label (or Value) and heading; others are hidden. */
  readonly columns: readonly (readonly [label: string, heading: string])[];
  /** Column whose cells are links. */
  readonly linked?: { readonly column: string; readonly title: string; readonly url: string };
}

/** What is so now, a row for each series. */
export function table({ columns, linked, ...spec }: TableSpec): Builder<Panel> {
  const builder = common(new TableBuilder(), spec, 'instant', PromQueryFormat.Table).withTransformation(
    organized(columns),
  );
  if (linked === undefined) return builder;
  const { column, title, url } = linked;
  return builder.overrideByName(column, [{ id: 'links', value: [{ title, url, targetBlank: false }] }]);
}

function organized(columns: TableSpec['columns']): DataTransformerConfig {
  const indexByName = Object.fromEntries(columns.map(([label], index) => [label, index]));
  return {
    id: 'organize',
    options: {
      includeByName: Object.fromEntries(columns.map(([label]) => [label, true])),
      indexByName,
      renameByName: Object.fromEntries(columns),
    },
  };
}

function common<B extends CommonBuilder>(
  builder: B,
  spec: PanelSpec,
  kind: 'instant' | 'range',
  format = PromQueryFormat.TimeSeries,
): B {
  const { steps = [[null, 'text']], names = {}, links = [] } = spec;
  builder
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height ?? 8)
    .noValue(spec.noValue)
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(steps.map(([value, color]) => ({ value, color }))),
    );
  if (spec.min !== undefined) builder.min(spec.min);
  if (spec.max !== undefined) builder.max(spec.max);
  if (spec.decimals !== undefined) builder.decimals(spec.decimals);
  if (Object.keys(names).length > 0) builder.mappings([{ type: MappingType.ValueToText, options: { ...names } }]);
  if (links.length > 0)
    builder.dataLinks(
      links.map(({ title, url }) => new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url)),
    );
  for (const [index, { expr, legend = '' }] of spec.queries.entries()) {
    const query = new DataqueryBuilder().refId(String.fromCodePoint(65 + index)).datasource(DATASOURCE);
    query.expr(expr).legendFormat(legend).format(format);
    builder.withTarget(kind === 'instant' ? query.instant() : query.range());
  }
  return builder;
}

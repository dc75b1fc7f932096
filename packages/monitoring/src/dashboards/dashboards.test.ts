import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { DASHBOARDS_FOLDER, DATASOURCES_FOLDER } from '../paths.js';
import { TAG, UIDS } from './dashboard.js';
import { DASHBOARDS, fileOf } from './files.js';

const COLUMNS = 24;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface PanelFile {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Box;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly noValue?: string } };
}

interface DashboardFile {
  readonly uid: string;
  readonly title: string;
  readonly editable: boolean;
  readonly tags: readonly string[];
  readonly panels: readonly PanelFile[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const read = (name: string): string => readFileSync(join(DASHBOARDS_FOLDER, name), 'utf8');
const NAMES = Object.keys(DASHBOARDS);

it('what Grafana is provisioned with is what the source makes', () => {
  const files = readdirSync(DASHBOARDS_FOLDER).filter((name) => name.endsWith('.json'));
  assert.deepEqual(files.sort(), NAMES.toSorted());
  for (const [name, made] of Object.entries(DASHBOARDS))
    assert.equal(read(name), fileOf(made), `${name}: run node packages/monitoring/dist/dashboards/write-dashboards.js`);
});

it('the guide names them, and they keep their ids', () => {
  const made = NAMES.map((name) => JSON.parse(read(name)) as DashboardFile);
  assert.deepEqual(
    made.map(({ uid, title }) => [uid, title]),
    [
      [UIDS.fleet, 'SENTINEL / Fleet Health Overview'],
      [UIDS.gpu, 'SENTINEL / GPU Deep Dive'],
      [UIDS.engine, 'SENTINEL / Correlation Engine Performance'],
      [UIDS.ledger, 'SENTINEL / Audit Ledger Status'],
      [UIDS.training, 'SENTINEL / Training Monitors'],
      [UIDS.inference, 'SENTINEL / Inference Monitors'],
    ],
  );
  for (const { editable, tags } of made) assert.deepEqual([editable, tags], [false, [TAG]]);
});

it('Grafana finds data source and dashboards by the provisioned files', () => {
  const yaml = (folder: string): unknown => parse(readFileSync(join(folder, 'sentinel.yaml'), 'utf8'));
  const { datasources } = yaml(DATASOURCES_FOLDER) as { datasources: { uid: string; type: string; url: string }[] };
  assert.deepEqual(
    datasources.map(({ uid, type, url }) => [uid, type, url]),
    [['sentinel-prometheus', 'prometheus', 'http://prometheus:9090']],
  );
  const { providers } = yaml(DASHBOARDS_FOLDER) as { providers: { type: string; options: { path: string } }[] };
  assert.deepEqual(
    providers.map(({ type, options }) => [type, options.path]),
    [['file', '/etc/grafana/provisioning/dashboards']],
  );
});

for (const name of NAMES)
  describe(name, () => {
    const { panels, templating } = JSON.parse(read(name)) as DashboardFile;
    const shown = panels.filter(({ type }) => type !== 'row');

    it('explains each panel, also one without data, and gives it a unit', () => {
      for (const { title, description = '', fieldConfig } of shown) {
        const { unit = '', noValue = '' } = fieldConfig?.defaults ?? {};
        assert.ok(description.length > 10 && description.endsWith('.'), `${title}: description`);
        assert.ok(unit !== '' && noValue !== '', `${title}: unit and noValue`);
      }
    });

    it('asks the data source of the variable, and no variable that it does not have', () => {
      const known = new Set([...templating.list.map((variable) => variable.name), '__rate_interval']);
      for (const { title, datasource, targets = [] } of shown) {
        assert.ok(targets.length > 0, title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
        for (const at of [datasource, ...targets.map((target) => target.datasource)])
          assert.equal(at?.uid, `\${datasource}`, title);
        for (const { expr } of targets)
          for (const [, variable] of expr.matchAll(/\$(\w+)/g))
            assert.ok(known.has(variable ?? ''), `${title}: $${variable}`);
      }
    });

    it('numbers panels once, and lays them side by side in full lines', () => {
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      assert.equal(new Set(shown.map(({ title }) => title)).size, shown.length, 'a title twice');
      const taken = new Set<string>();
      const width = new Map<number, number>();
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x + gridPos.w <= COLUMNS, `${title} is too wide`);
        for (const cell of cellsOf(gridPos)) {
          assert.ok(!taken.has(cell), `${title} lies upon another`);
          taken.add(cell);
        }
        width.set(gridPos.y, (width.get(gridPos.y) ?? 0) + gridPos.w);
      }
      for (const [y, sum] of width) assert.equal(sum, COLUMNS, `line ${y}`);
    });
  });

function cellsOf({ x, y, w, h }: Box): string[] {
  return Array.from({ length: w * h }, (_, k) => `${x + (k % w)},${y + Math.floor(k / w)}`);
}

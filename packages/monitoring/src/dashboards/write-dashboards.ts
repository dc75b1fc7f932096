/** Writes the dashboards that Grafana is provisioned with: `node packages/monitoring/dist/dashboards/write-dashboards.js` after a change. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS_FOLDER } from '../paths.js';
import { DASHBOARDS, fileOf } from './files.js';

for (const [name, made] of Object.entries(DASHBOARDS)) writeFileSync(join(DASHBOARDS_FOLDER, name), fileOf(made));

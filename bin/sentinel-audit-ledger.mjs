#!/usr/bin/env node
// `npx sentinel-audit-ledger`: the ledger's own commands, about the installation that `npm start` made in this clone unless
// --config names another.
import '../scripts/lib/require-node.mjs';
import { installationArguments } from '../scripts/lib/installation-arguments.mjs';
import { launch } from '../scripts/lib/launch.mjs';

await launch(
  'sentinel-audit-ledger',
  'packages/audit-ledger/dist/main.js',
  installationArguments('ledger', process.argv.slice(2)),
);

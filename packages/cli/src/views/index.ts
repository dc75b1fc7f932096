export { auditTable, detailOf, TYPE_NAMES, typeName } from './audit.js';
export { type Change, changes, type Known } from './changes.js';
export { cursorText, directiveLine } from './directives.js';
export { explanation, transitionText } from './explain.js';
export { directiveLines, directiveText, fleetSummary, gpuTable } from './fleet.js';
export {
  age,
  count,
  enumName,
  familyName,
  injectedMark,
  paint,
  paintState,
  plural,
  stateName,
  time,
} from './format.js';
export { gpuView } from './gpu.js';
export { historyView } from './history.js';
export { shortIds } from './ids.js';
export { incidentTable, incidentView, rateLimitView } from './incidents.js';
export { type Line, line, liveUpdate } from './live-update.js';
export { mismatchOf } from './observation.js';
export { pendingView } from './pending.js';
export { plainLines, plainly } from './plain.js';
export { type Report, replacementReport, type Surroundings } from './replacement-report.js';
export { table } from './table.js';
export { trustView } from './trust.js';
export { hang, wrap } from './wrap.js';

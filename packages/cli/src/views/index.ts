export { explanation, transitionLine } from './explain.js';
export { directiveLines, directiveText, fleetSummary, gpuTable } from './fleet.js';
export { age, familyName, injectedMark, paint, stateName, time } from './format.js';
export { table } from './table.js';

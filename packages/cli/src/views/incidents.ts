import { type Incident, Incident_State as State } from '@sentinel/contracts/sentinel/v1/incidents.js';
import type { GetRateLimitResponse } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { age, count, enumName, familyName, injectedMark, paint, plural, time } from './format.js';
import { table } from './table.js';
import { hang } from './wrap.js';

const MAX_NAMED = 8;
const HOLDS: ReadonlySet<State> = new Set([State.OPEN, State.CONFIRMED]);

/** What each state means for whoever is on call. */
const MEANINGS: Readonly<Record<number, string>> = {
  [State.OPEN]: 'quarantines are held until you confirm or release it, or it falls quiet for 7 days',
  [State.CONFIRMED]: 'no fault of the devices; quarantines are held until it falls quiet for 7 days',
  [State.RELEASED]: 'a fault of the devices: it holds nothing',
  [State.CLOSED]: 'it fell quiet: it holds nothing',
};

export function incidentTable(incidents: readonly Incident[], nowUs: bigint): string {
  if (incidents.length === 0) return 'No incident holds any quarantine.';
  const columns = ['ID', 'STATE', 'WHAT', 'OPENED', 'NODES', 'GPUS HELD'].map((title) => ({ title }));
  const rows = incidents.map((incident) => [
    incident.id,
    stateText(incident.state),
    [whatOf(incident), injectedMark(incident.injected)].filter((part) => part !== '').join(' '),
    age(incident.openedUs, nowUs),
    count(incident.nodeCount),
    count(incident.gpusHeld),
  ]);
  return table(columns, rows);
}

/** Everything about one, and the commands that answer it. */
export function incidentView(incident: Incident, nowUs: bigint): string {
  const { id, state, cohort, openedUs, endedUs, nodeCount, nodes, gpusHeld, gpus, gpusOut, actor } = incident;
  const digest = incident.modalDigest;
  const lines = [
    `${paint('bold', id)}  ${incident.pattern}  ${stateText(state)} ${injectedMark(incident.injected)}`.trimEnd(),
    ...hang('  what     ', whatOf(incident)),
    ...hang('  meaning  ', MEANINGS[state] ?? ''),
    ...hang('  why      ', incident.reason),
    ...hang('  opened   ', `${time(openedUs)} (${age(openedUs, nowUs)})`),
    ...(endedUs === 0n ? [] : hang('  ended    ', time(endedUs))),
    ...(cohort === undefined ? [] : hang('  nodes    ', named(nodeCount, nodes))),
    ...(cohort === undefined
      ? hang('  node     ', `${incident.node}, ${incident.cordoned ? 'cordoned' : 'not cordoned'}`)
      : hang(
          '  digest   ',
          digest === undefined
            ? 'wrong results differ from node to node'
            : `nearly all computed 0x${digest.toString(16).padStart(8, '0')}`,
        )),
    ...hang('  holds    ', gpusHeld === 0 ? 'no device' : named(gpusHeld, gpus)),
    ...(gpusOut.length === 0
      ? []
      : hang('  out      ', `${named(gpusOut.length, gpusOut)}: taken out before; it may explain them too`)),
    ...(actor === '' ? [] : hang('  answered ', `by ${actor}: ${incident.actorReason}`)),
  ];
  if (HOLDS.has(state)) {
    if (state === State.OPEN)
      lines.push(...hang('  answer   ', `sentinel incidents confirm ${id} --reason TEXT   (software, or the node)`));
    lines.push(
      ...hang(
        state === State.OPEN ? '           ' : '  answer   ',
        `sentinel incidents release ${id} --reason TEXT   (these devices are faulty)`,
      ),
    );
  }
  return lines.join('\n');
}

function whatOf({ cohort, node }: Incident): string {
  if (cohort === undefined) return `node ${node}`;
  const { model, driverVersion, family, probeVersion } = cohort;
  return `${familyName(family)} version ${probeVersion} on ${model}, driver ${driverVersion === '' ? 'unknown' : driverVersion}`;
}

function stateText(state: State): string {
  return paint(HOLDS.has(state) ? 'yellow' : 'dim', enumName(State, state));
}

function named(all: number, names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED);
  const more = all - shown.length;
  return `${count(all)}: ${shown.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
}

export function rateLimitView({ usedHour, limitHour, usedDay, limitDay, freeUs }: GetRateLimitResponse): string {
  const used = `Automatic quarantines: ${usedHour} of ${limitHour} in the last hour, ${usedDay} of ${limitDay} in the last day.`;
  if (limitHour === 0 || limitDay === 0)
    return `${used}\nThe limit is 0 (gates.rate_limit): every quarantine waits for an operator.`;
  if (usedHour < limitHour && usedDay < limitDay) return used;
  const more = `${plural(1, 'device')} more`;
  return `${used}\nFurther ones wait for approval until ${time(freeUs)}, when there is room for ${more}, or until\n\`sentinel rate-limit reset --reason TEXT\`.`;
}

import { type Incident, Incident_State } from '@sentinel/contracts/sentinel/v1/incidents.js';
import { ResolveIncidentRequest_Resolution as Resolution } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { enumName, incidentTable, incidentView } from '../views/index.js';

/** Incidents that hold quarantines; with `all`, also those that ended. */
export async function listIncidents(context: Context, all: boolean): Promise<number> {
  const incidents = await context.engine().incidents(!all);
  context.answer({ incidents: incidents.map(named) }, () => incidentTable(incidents, context.nowUs()));
  return EXIT.ok;
}

/** One incident; the beginning of an id suffices. */
export async function showIncident(context: Context, id: string): Promise<number> {
  const incident = await findIncident(context, id);
  context.answer({ incident: named(incident) }, () => incidentView(incident, context.nowUs()));
  return EXIT.ok;
}

/** No fault of the devices. */
export async function confirmIncident(context: Context, id: string, reason: string): Promise<number> {
  return resolve(context, id, Resolution.CONFIRM, reason);
}

/** A fault of the devices. */
export async function releaseIncident(context: Context, id: string, reason: string): Promise<number> {
  return resolve(context, id, Resolution.RELEASE, reason);
}

async function resolve(context: Context, prefix: string, resolution: Resolution, reason: string): Promise<number> {
  const { id } = await findIncident(context, prefix);
  const incident = await context.engine().resolveIncident({ incident: id, resolution, reason });
  context.answer({ incident: named(incident) }, () => incidentView(incident, context.nowUs()));
  return EXIT.ok;
}

async function findIncident(context: Context, id: string): Promise<Incident> {
  const found = (await context.engine().incidents(false)).filter((incident) => incident.id.startsWith(id));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const message =
    only === undefined ? `no incident ${id} is known` : `${id} is the beginning of ${found.length} incidents`;
  throw new SentinelError({ code: 'NOT_FOUND', message, hint: 'List them with `sentinel incidents list --all`.' });
}

/** Enumerations of an incident have names of their own. */
function named(incident: Incident): object {
  return { ...incident, state: enumName(Incident_State, incident.state) };
}

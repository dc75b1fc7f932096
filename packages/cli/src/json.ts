import { auditTypeToJSON } from '@sentinel/contracts/sentinel/v1/audit.js';
import { gpuStateToJSON, probeFamilyToJSON, runKindToJSON } from '@sentinel/contracts/sentinel/v1/common.js';
import { gateOutcome_VerdictToJSON } from '@sentinel/contracts/sentinel/v1/health.js';
import {
  issueDirectiveRequest_ActionToJSON,
  pendingDirective_CauseToJSON,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { canaryOutcome_OutcomeToJSON } from '@sentinel/contracts/sentinel/v1/trust.js';

/** Enumerations by the fields that hold them; a field of the same name that holds text stays as it is. */
const ENUMS: Readonly<Record<string, (value: never) => string>> = {
  state: gpuStateToJSON,
  wouldBe: gpuStateToJSON,
  from: gpuStateToJSON,
  to: gpuStateToJSON,
  family: probeFamilyToJSON,
  kind: runKindToJSON,
  verdict: gateOutcome_VerdictToJSON,
  type: auditTypeToJSON,
  action: issueDirectiveRequest_ActionToJSON,
  cause: pendingDirective_CauseToJSON,
  outcome: canaryOutcome_OutcomeToJSON,
};

/** JSON already, in a vocabulary of its own. */
const DECODED = 'decoded';

/**
 * A message as the JSON that scripts read: the protobuf JSON mapping, except that every field is there (absent ones as null) and
 * that 64-bit integers are numbers as long as a double holds them exactly.
 */
export function toJson(value: unknown, field = ''): unknown {
  if (field === DECODED) return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === 'number') return enumText(field, value) ?? value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((item) => toJson(item, field));
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, key)]));
}

function enumText(field: string, value: number): string | undefined {
  const text = ENUMS[field] as ((value: number) => string) | undefined;
  return text?.(value);
}

/** Safe on a terminal: JSON itself escapes the control characters below a blank alone. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[\x7f-\x9f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}

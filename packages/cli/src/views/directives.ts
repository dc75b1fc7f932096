import {
  FleetDirective_Action as Action,
  type DirectiveCursor,
  type FleetDirective,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { enumName, injectedMark, paint, time } from './format.js';

/** As it is given back with --after. */
export function cursorText(cursor: DirectiveCursor | undefined): string {
  return cursor === undefined ? '' : `${cursor.commitSeq}.${cursor.ordinal}`;
}

/** One line for one directive. */
export function directiveLine(directive: FleetDirective): string {
  const { cursor, action, gpu, node, reason, actor, timeUs, injected } = directive;
  const what = gpu === '' ? `node ${node}` : `${gpu} on ${node}`;
  const by = actor === '' ? '' : `(${actor})`;
  const parts = [
    time(timeUs),
    cursorText(cursor),
    paint('bold', enumName(Action, action)),
    what,
    injectedMark(injected),
    by,
    reason,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

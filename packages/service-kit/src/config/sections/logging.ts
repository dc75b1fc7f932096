import { choice, flag } from '../formats.js';
import { leaf, section } from '../schema.js';
import { CONTRACT } from './shared.js';

export const logging = section('What every service writes about itself.', {
  level: leaf({
    format: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Lowest level that is written. Also SENTINEL_LOG_LEVEL.',
    source: CONTRACT,
    reloadable: true,
  }),
  format: leaf({
    format: choice('json', 'text'),
    default: 'json',
    doc: 'One JSON object a line, or text for people. Also SENTINEL_LOG_FORMAT.',
    source: CONTRACT,
  }),
  include_source: leaf({
    format: flag,
    default: false,
    doc: 'Adds the source position to each line; costs time.',
    source: CONTRACT,
  }),
  output: leaf({
    format: choice('stdout', 'stderr'),
    default: 'stdout',
    doc: 'Stream that lines go to.',
    source: CONTRACT,
  }),
});

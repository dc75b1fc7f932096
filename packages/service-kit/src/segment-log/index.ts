export { nodeFiles, type SegmentFiles, segmentPath } from './files.js';
export { type LogRecord, type Position, SegmentLog, type SegmentLogOptions } from './segment-log.js';

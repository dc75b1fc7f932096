export { draftPath, nodeFiles, type SegmentFiles, segmentNumbers, segmentPath } from './files.js';
export { FRAME_HEADER_BYTES, frameHeader, parseFrame, SEGMENT_HEADER } from './frame.js';
export { type LogRecord, type Position, SegmentLog, type SegmentLogOptions } from './segment-log.js';

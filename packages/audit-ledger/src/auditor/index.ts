/** For other programs that serve auditors. */
export { type AuditedLog, copyLog, type MadeReport, makeReport } from './auditor.js';
export { exportText } from './export-text.js';

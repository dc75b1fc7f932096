import { describeOrigin } from './problems.js';
import { isUnset, type Setting, type Settings } from './resolve.js';

export const MASK = '********';

/** A value as it may be shown: secrets as a mask, of which nothing but "set" can be learned. */
export function showValue({ leaf, value }: Pick<Setting, 'leaf' | 'value'>): string {
  if (!leaf.secret || isUnset(value)) return JSON.stringify(value);
  return leaf.format.reveal?.(value) ?? MASK;
}

/** Effective value and origin of every key, aligned, one a line. */
export function printSettings(parts: readonly (readonly [section: string, settings: Settings])[]): string {
  const rows = parts.flatMap(([section, settings]) =>
    [...settings.values()].map((setting) => ({
      left: `${section}.${setting.key}: ${showSetting(setting, settings)}`,
      origin: describeOrigin(setting.origin),
    })),
  );
  const width = Math.min(MAX_COLUMN, Math.max(...rows.map(({ left }) => left.length)));
  return `${rows.map(({ left, origin }) => `${left.padEnd(width)}  # ${origin}`).join('\n')}\n`;
}

const MAX_COLUMN = 90;

/** A secret that a file will fill is shown as a mask without reading the file. */
function showSetting(setting: Setting, settings: Settings): string {
  const { leaf } = setting;
  if (leaf.fileKey === undefined || !isUnset(setting.value)) return showValue(setting);
  const prefix = setting.key.slice(0, setting.key.lastIndexOf('.') + 1);
  return isUnset(settings.get(`${prefix}${leaf.fileKey}`)?.value) ? showValue(setting) : MASK;
}

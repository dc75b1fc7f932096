/** What the sensors of one device said at one moment. Names, units and sources: docs/telemetry.md. */
export interface Reading {
  /** A quantity that the device does not offer is absent, never zero. */
  readonly values: Readonly<Record<string, number>>;
  /** The same for what is no number. */
  readonly texts: Readonly<Record<string, string>>;
}

/** A loud fault: the hardware itself said that something went wrong. */
export interface LoudFault {
  readonly kind: LoudFaultKind;
  readonly deviceId: string;
  /** For a person, e.g. "Xid 79". */
  readonly detail: string;
}

export const LOUD_FAULT_KINDS = ['xid', 'ecc', 'machine_check', 'lost'] as const;
export type LoudFaultKind = (typeof LOUD_FAULT_KINDS)[number];

/** What one look at a device gave. */
export interface Sensed {
  /** Null: there was no answer, see `problem`. */
  readonly reading: Reading | null;
  /** Why there is no reading, or only a part of one; else null. */
  readonly problem: string | null;
  /** The driver says that the device is gone. */
  readonly lost: boolean;
}

/** The sensors of one device. Never throws. */
export interface Sensors {
  readonly deviceId: string;
  read(): Promise<Sensed>;
}

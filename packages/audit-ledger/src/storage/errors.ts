/** How a commit can fail. */

/** Another writer took over; nothing of this one's batch is in the log, and nothing ever will be. */
export class StaleWriterError extends Error {
  override readonly name = 'StaleWriterError';
  constructor(message = 'another writer has taken over this log; this one stops') {
    super(message);
  }
}

/** Whether the batch is committed cannot be told from here: the process must end and read the head again. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
  constructor(cause: unknown) {
    super('outcome of a commit is unknown; the ledger must restart', { cause });
  }
}

/** No room for the batch; nothing of it is in the log and a later one may succeed. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
  constructor(cause: unknown) {
    super('disk is full', { cause });
  }
}

/** The store holds something that this process would never have written. */
export class TamperedStoreError extends Error {
  override readonly name = 'TamperedStoreError';
}

/** The log is signed by another key than the configured one. */
export class OtherKeyError extends TamperedStoreError {
  /** Note verifier key of the key that the log is of. */
  readonly signedBy: string;

  constructor(message: string, signedBy: string) {
    super(message);
    this.signedBy = signedBy;
  }
}

/** There is no log, and none may be begun here. */
export class NoLogError extends Error {
  override readonly name = 'NoLogError';
  /** Dotted path of the configuration key that says where it should be. */
  readonly setting: string;
  constructor(setting: string, message: string) {
    super(message);
    this.setting = setting;
  }
}

/** The store is older than a checkpoint that was signed for it. */
export class RollbackError extends Error {
  override readonly name = 'RollbackError';
}

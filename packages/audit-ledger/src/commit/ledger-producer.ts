/** Producer of the entries that the ledger writes about itself; nobody else may use it. */
export const LEDGER_PRODUCER = 'ledger';

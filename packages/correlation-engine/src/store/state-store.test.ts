import { DATABASE_KINDS } from '../testing/databases.js';
import { stateStoreContract } from './testing/contract.js';

for (const { name, make, skip } of DATABASE_KINDS) stateStoreContract(name, make, skip);

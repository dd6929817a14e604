DROP TRIGGER IF EXISTS postings_applied ON settlement_posting;
DROP FUNCTION IF EXISTS ledger_apply_postings();
ALTER TABLE settlement_accountbalance RESET (fillfactor);
ALTER TABLE settlement_posting DROP CONSTRAINT IF EXISTS posting_account_asset;

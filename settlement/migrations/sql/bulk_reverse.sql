-- The functions stay: they hold the same rules with the foreign keys as without.
DROP TRIGGER account_table_kept ON settlement_account;
DROP TRIGGER account_kept ON settlement_account;
DROP FUNCTION ledger_keep_account();
ALTER TABLE settlement_posting ADD CONSTRAINT posting_account_asset
    FOREIGN KEY (account_id, asset_id) REFERENCES settlement_account (id, asset_id);

-- Postings: in the asset of their account and on its scale, sealed into the transaction of their
-- entry, and carried into the stored balance of every account that has one.

ALTER TABLE settlement_posting ADD CONSTRAINT posting_account_asset
    FOREIGN KEY (account_id, asset_id) REFERENCES settlement_account (id, asset_id);

-- Balance rows change all the time and keep their keys: leave room so that updates stay in place.
ALTER TABLE settlement_accountbalance SET (fillfactor = 50);

-- Definer's rights: the runtime role itself may not write balances.
CREATE FUNCTION ledger_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_postings p JOIN settlement_journalentry e ON e.id = p.entry_id
         WHERE e.transaction_number <> pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'an entry takes postings only while it is being made'
            USING ERRCODE = '23L02';
    END IF;
    IF EXISTS (
        SELECT FROM new_postings p JOIN settlement_asset a ON a.code = p.asset_id
         WHERE p.amount <> round(p.amount, a.scale)
    ) THEN
        RAISE EXCEPTION 'an amount has more decimals than its asset' USING ERRCODE = '23L03';
    END IF;
    PERFORM FROM settlement_accountbalance
      WHERE account_id IN (SELECT account_id FROM new_postings)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE settlement_accountbalance b
       SET debit = b.debit + s.debit, credit = b.credit + s.credit, version = b.version + 1
      FROM (SELECT account_id,
                   coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
                   coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit
              FROM new_postings GROUP BY account_id) AS s
     WHERE b.account_id = s.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER postings_applied AFTER INSERT ON settlement_posting
    REFERENCING NEW TABLE AS new_postings
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings();

DROP FUNCTION IF EXISTS ledger_post(
    jsonb, bigint[], numeric[], text[], uuid[], numeric[], text[]);
DROP FUNCTION IF EXISTS ledger_lock(bigint[]);
DROP FUNCTION IF EXISTS ledger_period(text, date);

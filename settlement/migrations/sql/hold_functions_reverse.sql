DROP FUNCTION IF EXISTS ledger_reduce_holds(text, uuid[], numeric[], text[], bigint);
DROP FUNCTION IF EXISTS ledger_place_hold(bigint, numeric, text, text, uuid);

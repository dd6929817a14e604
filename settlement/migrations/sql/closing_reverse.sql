DROP TRIGGER IF EXISTS period_snapshot ON settlement_bookperiod;
DROP TRIGGER IF EXISTS period_table_kept ON settlement_bookperiod;
DROP TRIGGER IF EXISTS period_guarded ON settlement_bookperiod;
DROP FUNCTION IF EXISTS ledger_snapshot_period();
DROP FUNCTION IF EXISTS ledger_guard_period();

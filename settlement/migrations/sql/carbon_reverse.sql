DROP FUNCTION IF EXISTS factor_set_decided_once() CASCADE;
DROP TRIGGER IF EXISTS factor_set_table_kept ON settlement_factorset;
DROP FUNCTION IF EXISTS factor_value_while_proposed() CASCADE;
DROP FUNCTION IF EXISTS statement_continues_last() CASCADE;
DROP FUNCTION IF EXISTS slices_within_batch() CASCADE;

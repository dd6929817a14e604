DROP TRIGGER IF EXISTS counter_reset_table_kept ON settlement_counterreset;
DROP TRIGGER IF EXISTS counter_reset_kept ON settlement_counterreset;
DROP FUNCTION IF EXISTS counter_reset_keeps_content();
DROP TRIGGER IF EXISTS meter_key_table_kept ON settlement_meterkey;
DROP TRIGGER IF EXISTS meter_key_kept ON settlement_meterkey;
DROP FUNCTION IF EXISTS meter_key_keeps_content();
DROP TRIGGER IF EXISTS adjustment_table_kept ON settlement_adjustment;
DROP TRIGGER IF EXISTS adjustment_kept ON settlement_adjustment;
DROP FUNCTION IF EXISTS adjustment_keeps_content();

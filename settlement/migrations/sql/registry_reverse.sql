DROP TRIGGER IF EXISTS allocation_within_certificates ON settlement_claimallocation;
ALTER TABLE settlement_retirementline
    DROP CONSTRAINT IF EXISTS serials_retired_once,
    DROP CONSTRAINT IF EXISTS retirement_units_counted;
DROP TRIGGER IF EXISTS retirement_matches ON settlement_retirement;
DROP TRIGGER IF EXISTS range_covers ON settlement_serialrange;
DROP TRIGGER IF EXISTS batch_covered ON settlement_unitbatch;
DROP TRIGGER IF EXISTS range_table_kept ON settlement_serialrange;
DROP TRIGGER IF EXISTS range_guarded ON settlement_serialrange;
DROP TRIGGER IF EXISTS movement_line_applied ON settlement_unitmovementline;
DROP FUNCTION IF EXISTS registry_check_allocation();
DROP FUNCTION IF EXISTS registry_check_retirement();
DROP FUNCTION IF EXISTS registry_check_cover();
DROP FUNCTION IF EXISTS registry_guard_range();
DROP FUNCTION IF EXISTS registry_apply_line();
DROP FUNCTION IF EXISTS registry_check_line(settlement_unitmovementline, text, date);
DROP FUNCTION IF EXISTS registry_merge(bigint, int8range);
DROP FUNCTION IF EXISTS registry_carve(settlement_serialrange, settlement_unitmovementline, integer);
DROP FUNCTION IF EXISTS registry_step_allowed(text, text, text);

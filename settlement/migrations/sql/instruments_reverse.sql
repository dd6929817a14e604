DROP TRIGGER IF EXISTS granular_has_hour ON settlement_unitbatch;
DROP TRIGGER IF EXISTS bundle_of_a_slice ON settlement_granularbundle;
DROP FUNCTION IF EXISTS registry_check_granular();
DROP FUNCTION IF EXISTS registry_check_bundle();

DROP FUNCTION IF EXISTS netting_carried_out_once() CASCADE;
DROP FUNCTION IF EXISTS netting_cycle_goes_on() CASCADE;
DROP FUNCTION IF EXISTS netting_takes_obligation() CASCADE;
DROP FUNCTION IF EXISTS recognition_count_cap() CASCADE;
DROP FUNCTION IF EXISTS recognition_lock_caps(bigint, bigint, text);
DROP FUNCTION IF EXISTS agreement_version_keeps_terms() CASCADE;

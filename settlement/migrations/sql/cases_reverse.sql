DROP FUNCTION IF EXISTS case_moves_as_listed() CASCADE;

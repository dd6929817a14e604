-- The role that serves requests may not lock a batch: an advisory lock orders imports of its hours.
CREATE OR REPLACE FUNCTION slices_within_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    issued_wh numeric;
    sliced_wh numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(7222, (NEW.batch_id % 2147483647)::int);
    SELECT (upper(b.serials) - lower(b.serials))::numeric * 1000000 INTO issued_wh
      FROM settlement_unitbatch b WHERE b.id = NEW.batch_id;
    SELECT coalesce(sum(s.energy_wh), 0) INTO sliced_wh
      FROM settlement_granularslice s WHERE s.batch_id = NEW.batch_id;
    IF sliced_wh > issued_wh THEN
        RAISE EXCEPTION 'the hours of a batch exceed its certificates' USING ERRCODE = '23L12';
    END IF;
    RETURN NULL;
END $$;

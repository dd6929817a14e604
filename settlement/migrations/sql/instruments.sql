-- Granular certificates: their hours are the parent's slices, and what they take of the parent is
-- used up by the same holder before.
CREATE FUNCTION registry_check_bundle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part settlement_granularslice%ROWTYPE;
    made settlement_unitbatch%ROWTYPE;
    parent settlement_unitbatch%ROWTYPE;
    used_units numeric;
    issued_wh numeric;
BEGIN
    SELECT * INTO part FROM settlement_granularslice WHERE id = NEW.parent_slice_id;
    SELECT * INTO made FROM settlement_unitbatch WHERE id = NEW.batch_id;
    SELECT * INTO parent FROM settlement_unitbatch WHERE id = part.batch_id;
    IF made.kind <> 'granular' OR parent.kind <> 'certificate'
        OR made.project_id <> parent.project_id OR NEW.project_id <> parent.project_id
        OR part.energy_wh <> upper(made.serials) - lower(made.serials)
        OR part.starts_at <> NEW.starts_at OR part.device <> NEW.device
        OR date_trunc('hour', NEW.starts_at, 'UTC')
           <> date_trunc('hour', NEW.ends_at - interval '1 microsecond', 'UTC')
    THEN
        RAISE EXCEPTION 'batch % is not the hour of its slice', made.id USING ERRCODE = '23L13';
    END IF;
    PERFORM pg_advisory_xact_lock(7222, (parent.id % 2147483647)::int);
    SELECT coalesce(sum(l.units), 0) INTO used_units FROM settlement_retirementline l
      JOIN settlement_retirement r ON r.id = l.retirement_id
     WHERE l.batch_id = parent.id AND r.organisation_id = made.issued_to_id
       AND r.purpose = 'granular';
    SELECT coalesce(sum(s.energy_wh), 0) INTO issued_wh FROM settlement_granularbundle g
      JOIN settlement_granularslice s ON s.id = g.parent_slice_id
      JOIN settlement_unitbatch b ON b.id = g.batch_id
     WHERE s.batch_id = parent.id AND b.issued_to_id = made.issued_to_id;
    IF issued_wh > used_units * 1000000 THEN
        RAISE EXCEPTION 'the hours of batch % exceed what was used up for them', parent.id
            USING ERRCODE = '23L13';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER bundle_of_a_slice AFTER INSERT ON settlement_granularbundle
    FOR EACH ROW EXECUTE FUNCTION registry_check_bundle();

-- At commit a batch of granular certificates has its bundle.
CREATE FUNCTION registry_check_granular() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM settlement_granularbundle WHERE batch_id = NEW.id) THEN
        RAISE EXCEPTION 'batch % has no hour', NEW.id USING ERRCODE = '23L13';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER granular_has_hour AFTER INSERT ON settlement_unitbatch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'granular')
    EXECUTE FUNCTION registry_check_granular();

-- Retire once, allocate many: never more Wh than the units of the line carry.
CREATE OR REPLACE FUNCTION registry_check_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    carried numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(7262, NEW.line_id::integer);
    SELECT l.units * CASE b.kind WHEN 'granular' THEN 1 ELSE 1000000 END INTO carried
      FROM settlement_retirementline l JOIN settlement_unitbatch b ON b.id = l.batch_id
     WHERE l.id = NEW.line_id AND b.kind IN ('certificate', 'granular');
    IF carried IS NULL OR carried < (
        SELECT sum(energy_wh) FROM settlement_claimallocation WHERE line_id = NEW.line_id)
    THEN
        RAISE EXCEPTION 'line % carries % Wh', NEW.line_id, carried USING ERRCODE = '23R08';
    END IF;
    RETURN NULL;
END $$;

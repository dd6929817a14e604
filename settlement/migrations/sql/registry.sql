-- Units of registries: the line of a movement moves its serials, or nothing happens. Ranges are
-- written here with the owner's rights; the runtime role can only read them.

CREATE FUNCTION registry_step_allowed(p_kind text, p_from text, p_to text) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_kind, p_from, p_to) IN (
        ('issue', 'issued', 'held'),
        ('transfer', 'held', 'held'),
        ('transfer', 'reserved', 'held'),
        ('reserve', 'held', 'reserved'),
        ('release', 'reserved', 'held'),
        ('lock', 'held', 'locked'),
        ('unlock', 'locked', 'held'),
        ('freeze', 'held', 'frozen'),
        ('cancel', 'frozen', 'cancelled'),
        ('expire', 'held', 'expired'),
        ('retire', 'held', 'retired'),
        ('retire', 'reserved', 'retired'),
        ('invalidate', 'held', 'invalidated'),
        ('invalidate', 'retired', 'invalidated'));
$$;

-- Move the serials of one stored range that lie inside the line; what sticks out stays behind.
CREATE FUNCTION registry_carve(
    p_range settlement_serialrange, p_line settlement_unitmovementline, p_sold integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    inside int8range := p_range.serials * p_line.serials;
    below int8range := int8range(lower(p_range.serials), lower(inside));
    above int8range := int8range(upper(inside), upper(p_range.serials));
BEGIN
    UPDATE settlement_serialrange
       SET serials = inside, state = p_line.to_state, organisation_id = p_line.to_organisation_id,
           reservation_id = p_line.to_reservation_id, times_sold = p_range.times_sold + p_sold
     WHERE id = p_range.id;
    INSERT INTO settlement_serialrange
            (batch_id, serials, organisation_id, state, reservation_id, times_sold)
        SELECT p_range.batch_id, rest, p_range.organisation_id, p_range.state,
               p_range.reservation_id, p_range.times_sold
          FROM unnest(ARRAY[below, above]) AS rest WHERE NOT isempty(rest);
END $$;

-- Adjacent ranges of one batch, holder, state, reservation and history become one.
CREATE FUNCTION registry_merge(p_batch bigint, p_around int8range) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    near record;
    kept settlement_serialrange%ROWTYPE;
    joined int8range;
BEGIN
    FOR near IN
        SELECT * FROM settlement_serialrange
         WHERE batch_id = p_batch
           AND (serials && p_around OR serials -|- p_around) ORDER BY lower(serials)
    LOOP
        IF kept.id IS NOT NULL AND kept.serials -|- near.serials
            AND (kept.organisation_id, kept.state, kept.reservation_id, kept.times_sold)
                IS NOT DISTINCT FROM
                (near.organisation_id, near.state, near.reservation_id, near.times_sold)
        THEN
            joined := kept.serials + near.serials;
            -- Emptied before it goes: a range with serials in it is never deleted.
            UPDATE settlement_serialrange SET serials = 'empty' WHERE id = near.id;
            UPDATE settlement_serialrange SET serials = joined WHERE id = kept.id;
            DELETE FROM settlement_serialrange WHERE id = near.id;
            kept.serials := joined;
        ELSE
            SELECT * INTO kept FROM settlement_serialrange WHERE id = near.id;
        END IF;
    END LOOP;
END $$;

-- Refuses what the dates of the batch and the rules of its registry forbid.
CREATE FUNCTION registry_check_line(
    p_line settlement_unitmovementline, p_kind text, p_day date
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    batch settlement_unitbatch%ROWTYPE;
    movement_registry bigint;
BEGIN
    SELECT * INTO batch FROM settlement_unitbatch WHERE id = p_line.batch_id;
    SELECT registry_id INTO movement_registry
      FROM settlement_unitmovement WHERE id = p_line.movement_id;
    IF NOT registry_step_allowed(p_kind, p_line.from_state, p_line.to_state)
        OR (p_kind <> 'transfer' AND p_kind <> 'issue'
            AND p_line.from_organisation_id <> p_line.to_organisation_id)
        OR (p_line.to_state = 'reserved') <> (p_line.to_reservation_id IS NOT NULL)
        OR (p_line.from_state = 'reserved') <> (p_line.from_reservation_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'units do not go from % to % by %', p_line.from_state, p_line.to_state,
            p_kind USING ERRCODE = '23R01';
    END IF;
    IF batch.registry_id <> movement_registry OR NOT p_line.serials <@ batch.serials
        OR (p_kind = 'issue' AND p_line.serials <> batch.serials)
    THEN
        RAISE EXCEPTION 'serials % are not of batch %', p_line.serials, batch.id
            USING ERRCODE = '23R02';
    END IF;
    IF p_kind = 'retire' AND p_day > batch.expires_on THEN
        RAISE EXCEPTION 'batch % ended on %', batch.id, batch.expires_on USING ERRCODE = '23R04';
    END IF;
    IF p_kind = 'expire' AND (batch.expires_on IS NULL OR p_day <= batch.expires_on) THEN
        RAISE EXCEPTION 'batch % lives on', batch.id USING ERRCODE = '23R04';
    END IF;
END $$;

CREATE FUNCTION registry_apply_line() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    movement settlement_unitmovement%ROWTYPE;
    part settlement_serialrange%ROWTYPE;
    moved bigint := 0;
    sold integer;
BEGIN
    SELECT * INTO movement FROM settlement_unitmovement WHERE id = NEW.movement_id;
    -- The lock of services/locks.py: whoever writes past the services waits there as well.
    PERFORM pg_advisory_xact_lock(7261, NEW.batch_id::integer);
    PERFORM registry_check_line(NEW, movement.kind, movement.effective_on);
    IF movement.kind = 'issue' THEN
        INSERT INTO settlement_serialrange
                (batch_id, serials, organisation_id, state, times_sold)
            VALUES (NEW.batch_id, NEW.serials, NEW.to_organisation_id, NEW.to_state, 0);
        RETURN NULL;
    END IF;
    sold := CASE WHEN NEW.from_organisation_id <> NEW.to_organisation_id THEN 1 ELSE 0 END;
    FOR part IN
        SELECT * FROM settlement_serialrange
         WHERE batch_id = NEW.batch_id AND serials && NEW.serials ORDER BY lower(serials)
    LOOP
        IF part.state <> NEW.from_state OR part.organisation_id <> NEW.from_organisation_id
            OR part.reservation_id IS DISTINCT FROM NEW.from_reservation_id
        THEN
            RAISE EXCEPTION 'serials % of batch % are %', part.serials, part.batch_id, part.state
                USING ERRCODE = '23R03';
        END IF;
        moved := moved + upper(part.serials * NEW.serials) - lower(part.serials * NEW.serials);
        PERFORM registry_carve(part, NEW, sold);
    END LOOP;
    IF moved <> upper(NEW.serials) - lower(NEW.serials) THEN
        RAISE EXCEPTION 'serials % of batch % are not all there', NEW.serials, NEW.batch_id
            USING ERRCODE = '23R03';
    END IF;
    PERFORM registry_merge(NEW.batch_id, NEW.serials);
    RETURN NULL;
END $$;

CREATE TRIGGER movement_line_applied AFTER INSERT ON settlement_unitmovementline
    FOR EACH ROW EXECUTE FUNCTION registry_apply_line();

-- No way leads out of an end state, whoever asks; a range that holds serials is never deleted.
CREATE FUNCTION registry_guard_range() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF isempty(OLD.serials) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'serials are never deleted' USING ERRCODE = '23R05';
    END IF;
    IF OLD.batch_id <> NEW.batch_id
        OR (OLD.state IN ('retired', 'cancelled', 'expired', 'invalidated')
            AND (NEW.organisation_id <> OLD.organisation_id
                 OR (NEW.state <> OLD.state
                     AND (OLD.state, NEW.state) <> ('retired', 'invalidated'))))
    THEN
        RAISE EXCEPTION 'serials % are % for good', OLD.serials, OLD.state USING ERRCODE = '23R05';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER range_guarded BEFORE UPDATE OR DELETE ON settlement_serialrange
    FOR EACH ROW EXECUTE FUNCTION registry_guard_range();
CREATE TRIGGER range_table_kept BEFORE TRUNCATE ON settlement_serialrange
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- At commit the ranges of a batch cover it exactly (they never overlap: exclusion constraint).
CREATE FUNCTION registry_check_cover() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    checked bigint;
    whole int8range;
    covered bigint;
    outside boolean;
BEGIN
    IF TG_TABLE_NAME = 'settlement_unitbatch' THEN
        checked := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        checked := OLD.batch_id;
    ELSE
        checked := NEW.batch_id;
    END IF;
    SELECT serials INTO whole FROM settlement_unitbatch WHERE id = checked;
    SELECT coalesce(sum(upper(serials) - lower(serials)), 0),
           coalesce(bool_or(NOT serials <@ whole), false)
      INTO covered, outside FROM settlement_serialrange WHERE batch_id = checked;
    IF outside OR covered <> upper(whole) - lower(whole) THEN
        RAISE EXCEPTION 'batch % holds % serials, its ranges %', checked,
            upper(whole) - lower(whole), covered USING ERRCODE = '23R06';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER batch_covered AFTER INSERT ON settlement_unitbatch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry_check_cover();
CREATE CONSTRAINT TRIGGER range_covers AFTER INSERT OR UPDATE OR DELETE ON settlement_serialrange
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry_check_cover();

-- At commit a retirement's lines are what its movement retired, and no serial was retired before.
CREATE FUNCTION registry_check_retirement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement_retirement r
         WHERE r.id = NEW.id AND (
            r.units <> (SELECT coalesce(sum(l.units), 0) FROM settlement_retirementline l
                         WHERE l.retirement_id = r.id)
            OR EXISTS (
                SELECT FROM (SELECT batch_id, range_agg(serials) AS serials
                               FROM settlement_retirementline WHERE retirement_id = r.id
                              GROUP BY batch_id) AS said
                  FULL JOIN (SELECT batch_id, range_agg(serials) AS serials
                               FROM settlement_unitmovementline WHERE movement_id = r.movement_id
                              GROUP BY batch_id) AS done USING (batch_id)
                 WHERE said.serials IS DISTINCT FROM done.serials))
    ) THEN
        RAISE EXCEPTION 'retirement % is not what its movement retired', NEW.number
            USING ERRCODE = '23R07';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER retirement_matches AFTER INSERT ON settlement_retirement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry_check_retirement();

ALTER TABLE settlement_retirementline
    ADD CONSTRAINT serials_retired_once EXCLUDE USING gist (batch_id WITH =, serials WITH &&),
    ADD CONSTRAINT retirement_units_counted CHECK (units = upper(serials) - lower(serials));

-- Retire once, allocate many: never more Wh than the certificates of the line carry.
CREATE FUNCTION registry_check_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    carried numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(7262, NEW.line_id::integer);
    SELECT l.units * 1000000 INTO carried FROM settlement_retirementline l
      JOIN settlement_unitbatch b ON b.id = l.batch_id
     WHERE l.id = NEW.line_id AND b.kind = 'certificate';
    IF carried IS NULL OR carried < (
        SELECT sum(energy_wh) FROM settlement_claimallocation WHERE line_id = NEW.line_id)
    THEN
        RAISE EXCEPTION 'line % carries % Wh', NEW.line_id, carried USING ERRCODE = '23R08';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER allocation_within_certificates AFTER INSERT ON settlement_claimallocation
    FOR EACH ROW EXECUTE FUNCTION registry_check_allocation();

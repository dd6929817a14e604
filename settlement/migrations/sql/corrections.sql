-- Corrections: what was ordered or announced keeps its content; only its outcome is written, once.

CREATE FUNCTION adjustment_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.run_id IS NULL
        AND to_jsonb(NEW) - 'run_id' = to_jsonb(OLD) - 'run_id'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an adjustment is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER adjustment_kept BEFORE UPDATE OR DELETE ON settlement_adjustment
    FOR EACH ROW EXECUTE FUNCTION adjustment_keeps_content();
CREATE TRIGGER adjustment_table_kept BEFORE TRUNCATE ON settlement_adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE FUNCTION meter_key_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL
        AND to_jsonb(NEW) - 'ended_at' - 'ended_by_id' = to_jsonb(OLD) - 'ended_at' - 'ended_by_id'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a meter key is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER meter_key_kept BEFORE UPDATE OR DELETE ON settlement_meterkey
    FOR EACH ROW EXECUTE FUNCTION meter_key_keeps_content();
CREATE TRIGGER meter_key_table_kept BEFORE TRUNCATE ON settlement_meterkey
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE FUNCTION counter_reset_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'requested'
        AND to_jsonb(NEW) - 'state' - 'decided_by_id' - 'decided_at'
            = to_jsonb(OLD) - 'state' - 'decided_by_id' - 'decided_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a counter reset is decided once' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER counter_reset_kept BEFORE UPDATE OR DELETE ON settlement_counterreset
    FOR EACH ROW EXECUTE FUNCTION counter_reset_keeps_content();
CREATE TRIGGER counter_reset_table_kept BEFORE TRUNCATE ON settlement_counterreset
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

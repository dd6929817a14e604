-- Documents: an issued bill is never edited; payment moves its state only. A correction of a meter
-- reading is the next revision of the very same interval.

CREATE FUNCTION invoice_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state'
        AND (NEW.state = OLD.state
             OR (OLD.state, NEW.state) IN
                (('issued', 'paid'), ('issued', 'credited'), ('paid', 'credited')))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an issued document is never changed' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER invoice_kept BEFORE UPDATE OR DELETE ON settlement_invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_keeps_content();
CREATE TRIGGER invoice_table_kept BEFORE TRUNCATE ON settlement_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE FUNCTION reading_revises_interval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision > 1 AND NOT EXISTS (
        SELECT FROM settlement_meterreading r
         WHERE r.delivery_id = NEW.delivery_id AND r.starts_at = NEW.starts_at
           AND r.ends_at = NEW.ends_at AND r.revision = NEW.revision - 1
    ) THEN
        RAISE EXCEPTION 'revision % has no reading of the same interval before it', NEW.revision
            USING ERRCODE = '23L08';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reading_revised BEFORE INSERT ON settlement_meterreading
    FOR EACH ROW EXECUTE FUNCTION reading_revises_interval();

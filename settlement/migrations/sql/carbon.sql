-- Carbon statements: an approved factor set never changes and takes no more factors; a statement's
-- next version continues the last one of the very same subject.

CREATE FUNCTION factor_set_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND NEW.state IN ('approved', 'refused')
        AND to_jsonb(NEW) - ARRAY['state', 'decided_by_id', 'decided_at']
          = to_jsonb(OLD) - ARRAY['state', 'decided_by_id', 'decided_at']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a factor set is decided once and never changed'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER factor_set_kept BEFORE UPDATE OR DELETE ON settlement_factorset
    FOR EACH ROW EXECUTE FUNCTION factor_set_decided_once();
CREATE TRIGGER factor_set_table_kept BEFORE TRUNCATE ON settlement_factorset
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE FUNCTION factor_value_while_proposed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM settlement_factorset s WHERE s.id = NEW.factor_set_id AND s.state = 'proposed'
    ) THEN
        RAISE EXCEPTION 'factors are added only while their set is proposed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER factor_value_added BEFORE INSERT ON settlement_factorvalue
    FOR EACH ROW EXECUTE FUNCTION factor_value_while_proposed();

CREATE FUNCTION statement_continues_last() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM settlement_emissionstatement s
         WHERE s.id = NEW.supersedes_id AND s.version = NEW.version - 1
           AND s.subject = NEW.subject AND s.organisation_id = NEW.organisation_id
           AND s.order_id IS NOT DISTINCT FROM NEW.order_id
           AND s.pool_id IS NOT DISTINCT FROM NEW.pool_id AND s.month = NEW.month
    ) THEN
        RAISE EXCEPTION 'version % does not continue the statement before it', NEW.version
            USING ERRCODE = '23L11';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER statement_continued BEFORE INSERT ON settlement_emissionstatement
    FOR EACH ROW EXECUTE FUNCTION statement_continues_last();

CREATE FUNCTION slices_within_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    issued_wh numeric;
    sliced_wh numeric;
BEGIN
    -- The batch row orders concurrent imports of the same batch.
    SELECT (upper(b.serials) - lower(b.serials))::numeric * 1000000 INTO issued_wh
      FROM settlement_unitbatch b WHERE b.id = NEW.batch_id FOR NO KEY UPDATE;
    SELECT coalesce(sum(s.energy_wh), 0) INTO sliced_wh
      FROM settlement_granularslice s WHERE s.batch_id = NEW.batch_id;
    IF sliced_wh > issued_wh THEN
        RAISE EXCEPTION 'the hours of a batch exceed its certificates' USING ERRCODE = '23L12';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER slices_fit AFTER INSERT ON settlement_granularslice
    FOR EACH ROW EXECUTE FUNCTION slices_within_batch();

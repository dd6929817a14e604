-- Recognition: the terms of a version never change, caps are counted by the events themselves, and
-- a netting cycle takes obligations while it is open only.

CREATE FUNCTION agreement_version_keeps_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed' AND NEW.state IN ('approved', 'refused')
        AND to_jsonb(NEW) - ARRAY['state', 'decided_by_id', 'decided_at', 'decision_reason']
          = to_jsonb(OLD) - ARRAY['state', 'decided_by_id', 'decided_at', 'decision_reason']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the terms of an agreement change by a new version only'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER agreement_version_kept BEFORE UPDATE OR DELETE ON settlement_agreementversion
    FOR EACH ROW EXECUTE FUNCTION agreement_version_keeps_terms();
CREATE TRIGGER agreement_version_table_kept BEFORE TRUNCATE ON settlement_agreementversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Make and lock the counters of a cap, the common one before the party's, as every caller does.
CREATE FUNCTION recognition_lock_caps(p_agreement bigint, p_party bigint, p_period text)
    RETURNS TABLE (party_id bigint, used numeric)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO settlement_capusage (agreement_id, organisation_id, period, used_t)
        VALUES (p_agreement, NULL, p_period, 0), (p_agreement, p_party, p_period, 0)
        ON CONFLICT DO NOTHING;
    PERFORM FROM settlement_capusage
      WHERE agreement_id = p_agreement AND organisation_id IS NULL AND period = p_period
      FOR NO KEY UPDATE;
    PERFORM FROM settlement_capusage
      WHERE agreement_id = p_agreement AND organisation_id = p_party AND period = p_period
      FOR NO KEY UPDATE;
    RETURN QUERY SELECT u.organisation_id, u.used_t FROM settlement_capusage u
      WHERE u.agreement_id = p_agreement AND u.period = p_period
        AND (u.organisation_id IS NULL OR u.organisation_id = p_party);
END $$;

CREATE FUNCTION recognition_count_cap() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    terms settlement_agreementversion%ROWTYPE;
BEGIN
    SELECT * INTO terms FROM settlement_agreementversion WHERE id = NEW.version_id;
    IF terms.state <> 'approved' OR terms.status <> 'active' OR EXISTS (
        SELECT FROM settlement_agreementversion v
         WHERE v.agreement_id = terms.agreement_id AND v.state = 'approved'
           AND v.number > terms.number)
    THEN
        RAISE EXCEPTION 'version % is not the one in force', NEW.version_id USING ERRCODE = '23L09';
    END IF;
    PERFORM FROM recognition_lock_caps(terms.agreement_id, NEW.organisation_id, NEW.cap_period);
    UPDATE settlement_capusage
       SET used_t = used_t + NEW.usage_t,
           cap_t = CASE WHEN organisation_id IS NULL
                   THEN terms.absolute_cap_t ELSE terms.party_cap_t END
     WHERE agreement_id = terms.agreement_id AND period = NEW.cap_period
       AND (organisation_id IS NULL OR organisation_id = NEW.organisation_id);
    RETURN NULL;
END $$;

CREATE TRIGGER recognition_event_counted AFTER INSERT ON settlement_recognitionevent
    FOR EACH ROW EXECUTE FUNCTION recognition_count_cap();

CREATE FUNCTION netting_takes_obligation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Shared with every other obligation; freezing the cycle needs the row for itself.
    PERFORM FROM settlement_nettingcycle WHERE id = NEW.cycle_id AND state = 'open' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cycle % takes no more obligations', NEW.cycle_id USING ERRCODE = '23L10';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER obligation_in_open_cycle BEFORE INSERT ON settlement_obligation
    FOR EACH ROW EXECUTE FUNCTION netting_takes_obligation();

CREATE FUNCTION netting_cycle_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - ARRAY['state', 'frozen_at', 'settled_by_id', 'settled_at']
          = to_jsonb(OLD) - ARRAY['state', 'frozen_at', 'settled_by_id', 'settled_at']
        AND (OLD.state, NEW.state) IN
            (('open', 'frozen'), ('frozen', 'computed'), ('computed', 'settled'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a netting cycle only goes forward' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER netting_cycle_kept BEFORE UPDATE OR DELETE ON settlement_nettingcycle
    FOR EACH ROW EXECUTE FUNCTION netting_cycle_goes_on();
CREATE TRIGGER netting_cycle_table_kept BEFORE TRUNCATE ON settlement_nettingcycle
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Instructions and cash are carried out once; nothing else of them changes.
CREATE FUNCTION netting_carried_out_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'pending' AND NEW.state = 'done'
        AND to_jsonb(NEW) - ARRAY['state', 'serials', 'entry_id', 'done_at']
          = to_jsonb(OLD) - ARRAY['state', 'serials', 'entry_id', 'done_at']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an instruction is carried out once' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER delivery_instruction_kept BEFORE UPDATE OR DELETE ON settlement_deliveryinstruction
    FOR EACH ROW EXECUTE FUNCTION netting_carried_out_once();
CREATE TRIGGER delivery_instruction_table_kept BEFORE TRUNCATE ON settlement_deliveryinstruction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER cash_adjustment_kept BEFORE UPDATE OR DELETE ON settlement_cashadjustment
    FOR EACH ROW EXECUTE FUNCTION netting_carried_out_once();
CREATE TRIGGER cash_adjustment_table_kept BEFORE TRUNCATE ON settlement_cashadjustment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Placing and reducing holds; definer's rights, because the runtime role may not write holds.

-- Returns no reference when the free funds do not cover the amount; nothing is held then.
CREATE FUNCTION ledger_place_hold(
    p_account bigint, p_amount numeric, p_source_type text, p_source_id text, p_reference uuid,
    OUT reference uuid, OUT available numeric
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SELECT b.credit - b.debit + b.credit_limit - b.pending INTO available
      FROM settlement_accountbalance b WHERE b.account_id = p_account FOR NO KEY UPDATE;
    -- After the lock: a second caller for the same source finds the hold of the first.
    SELECT h.reference INTO reference FROM settlement_hold h
     WHERE h.source_type = p_source_type AND h.source_id = p_source_id;
    IF reference IS NULL AND available >= p_amount THEN
        INSERT INTO settlement_hold (
            reference, account_id, placed, remaining, state, source_type, source_id, recorded_at
        ) VALUES (
            p_reference, p_account, p_amount, p_amount, 'open', p_source_type, p_source_id,
            clock_timestamp());
        reference := p_reference;
    END IF;
END $$;

-- Bring holds down to what is to be kept; an event key that was used before does nothing.
CREATE FUNCTION ledger_reduce_holds(
    p_kind text, p_references uuid[], p_keep numeric[], p_keys text[], p_entry bigint DEFAULT NULL
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_count integer;
    event_count integer;
BEGIN
    PERFORM ledger_lock(ARRAY(
        SELECT DISTINCT account_id FROM settlement_hold WHERE reference = ANY (p_references)));
    PERFORM FROM settlement_hold WHERE reference = ANY (p_references)
      ORDER BY id FOR NO KEY UPDATE;
    GET DIAGNOSTICS found_count = ROW_COUNT;
    IF found_count <> cardinality(p_references) THEN
        RAISE EXCEPTION 'a hold is unknown or named twice' USING ERRCODE = '23L07';
    END IF;
    INSERT INTO settlement_holdevent (hold_id, kind, amount, event_key, entry_id, recorded_at)
        SELECT h.id, p_kind, h.remaining - c.keep, c.key, p_entry, clock_timestamp()
          FROM unnest(p_references, p_keep, p_keys) AS c (reference, keep, key)
          JOIN settlement_hold h ON h.reference = c.reference
         WHERE h.remaining > c.keep
           AND NOT EXISTS (SELECT FROM settlement_holdevent e WHERE e.event_key = c.key)
         ORDER BY h.id;
    GET DIAGNOSTICS event_count = ROW_COUNT;
    RETURN event_count;
END $$;

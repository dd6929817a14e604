-- One call, one round trip: the write path of the ledger.

-- The period of a book that holds a day; months are opened in a row, so that none is left out.
CREATE FUNCTION ledger_period(p_book text, p_day date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
    month date := date_trunc('month', p_day)::date;
    bounds record;
    opened date;
BEGIN
    SELECT id INTO found_id FROM settlement_bookperiod WHERE book = p_book AND days @> p_day;
    IF found_id IS NOT NULL THEN
        RETURN found_id;
    END IF;
    SELECT min(lower(days)) AS first, max(upper(days)) AS last INTO bounds
      FROM settlement_bookperiod WHERE book = p_book;
    FOR opened IN SELECT generate_series(
        least(month, bounds.last), greatest(month, bounds.first - interval '1 month'), '1 month')
    LOOP
        INSERT INTO settlement_bookperiod (book, days, state)
            VALUES (p_book, daterange(opened, (opened + interval '1 month')::date), 'open')
            ON CONFLICT DO NOTHING;
    END LOOP;
    SELECT id INTO found_id FROM settlement_bookperiod WHERE book = p_book AND days @> p_day;
    RETURN found_id;
END $$;

-- Lock the balances of accounts in id order, before anything is written.
CREATE FUNCTION ledger_lock(p_accounts bigint[]) RETURNS void LANGUAGE sql AS $$
    SELECT FROM settlement_accountbalance WHERE account_id = ANY (p_accounts)
     ORDER BY account_id FOR NO KEY UPDATE;
$$;

-- Post a balanced entry once. The entry's unique key comes first (a second caller waits there and
-- is told that it repeats), then the locks in id order, then the holds it captures, then the
-- postings, whose trigger carries them into the balances.
CREATE FUNCTION ledger_post(
    p_entry jsonb, p_accounts bigint[], p_amounts numeric[], p_memos text[],
    p_holds uuid[] DEFAULT '{}', p_keep numeric[] DEFAULT '{}', p_hold_keys text[] DEFAULT '{}',
    OUT entry_id bigint, OUT replayed boolean
) LANGUAGE plpgsql AS $$
DECLARE
    stored text;
    given_book text := p_entry ->> 'book';
    given_key text := p_entry ->> 'key';
BEGIN
    INSERT INTO settlement_journalentry (
        public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
        idempotency_key, fingerprint, reverses_id, reason, actor_id, transaction_number
    ) VALUES (
        (p_entry ->> 'public_id')::uuid, given_book, p_entry ->> 'kind',
        (p_entry ->> 'effective_on')::date,
        ledger_period(given_book, (p_entry ->> 'effective_on')::date), clock_timestamp(),
        p_entry ->> 'source_type', p_entry ->> 'source_id', given_key, p_entry ->> 'fingerprint',
        (p_entry ->> 'reverses')::bigint, p_entry ->> 'reason', (p_entry ->> 'actor')::bigint, 0
    ) ON CONFLICT (book, idempotency_key) DO NOTHING RETURNING id INTO entry_id;
    replayed := entry_id IS NULL;
    IF replayed THEN
        SELECT id, fingerprint INTO entry_id, stored FROM settlement_journalentry
         WHERE book = given_book AND idempotency_key = given_key;
        IF stored IS DISTINCT FROM p_entry ->> 'fingerprint' THEN
            RAISE EXCEPTION 'key % was used for another entry', given_key
                USING ERRCODE = '23L04';
        END IF;
        RETURN;
    END IF;
    PERFORM ledger_lock(p_accounts);
    IF cardinality(p_holds) > 0 THEN
        -- What was set aside is freed for this very entry, in the same breath.
        PERFORM ledger_reduce_holds('capture', p_holds, p_keep, p_hold_keys, entry_id);
    END IF;
    INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
        SELECT ledger_post.entry_id, l.line, l.account, a.asset_id, l.amount, l.memo
          FROM unnest(p_accounts, p_amounts, p_memos) WITH ORDINALITY AS l (account, amount, memo, line)
          LEFT JOIN settlement_account a ON a.id = l.account
         ORDER BY l.line;
END $$;

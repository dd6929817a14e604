-- An entry and its postings come in one statement, and are checked when it ends, all together: that
-- every entry stands in an open month and has postings, and that the postings of each entry balance.
-- One question per statement, not per entry.

DROP TRIGGER entry_balanced ON settlement_journalentry;
DROP FUNCTION ledger_check_balanced();

-- Asks nothing, so that it may run for every row.
CREATE OR REPLACE FUNCTION ledger_stamp_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transaction_number := pg_catalog.pg_current_xact_id()::text::bigint;
    NEW.recorded_at := pg_catalog.clock_timestamp();
    RETURN NEW;
END $$;

-- Postings balance by statement and an amount is never zero: one posting means at least two.
-- The path keeps a table of the session's own from answering in a table's place.
CREATE FUNCTION ledger_check_entries() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    odd record;
BEGIN
    -- Shared with every other entry; closing a month needs its row for itself.
    PERFORM FROM settlement_bookperiod
      WHERE id IN (SELECT period_id FROM new_entries) ORDER BY id FOR SHARE;
    SELECT e.id, e.book, e.effective_on, e.period_id, m.id IS NULL AS month_is_unknown,
           m.book <> e.book OR NOT m.days @> e.effective_on AS month_is_another,
           m.state = 'hard_closed' OR m.state = 'soft_closed'
               AND (e.kind <> 'adjustment' OR e.actor_id IS NULL) AS month_is_closed
      INTO odd
      FROM new_entries e
      LEFT JOIN settlement_bookperiod m ON m.id = e.period_id
     WHERE m.id IS NULL OR m.book <> e.book OR NOT m.days @> e.effective_on
        OR m.state = 'hard_closed'
        OR m.state = 'soft_closed' AND (e.kind <> 'adjustment' OR e.actor_id IS NULL)
        OR (SELECT p.id FROM settlement_posting p WHERE p.entry_id = e.id LIMIT 1) IS NULL
     LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF odd.month_is_unknown THEN
        RAISE EXCEPTION 'there is no month %', odd.period_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_month';
    ELSIF odd.month_is_another THEN
        RAISE EXCEPTION 'period % does not hold % of book %',
            odd.period_id, odd.effective_on, odd.book USING ERRCODE = '23L05';
    ELSIF odd.month_is_closed THEN
        RAISE EXCEPTION 'period % is closed', odd.period_id USING ERRCODE = '23L05';
    END IF;
    RAISE EXCEPTION 'entry % came without postings', odd.id USING ERRCODE = '23L01';
END $$;

CREATE TRIGGER entries_checked AFTER INSERT ON settlement_journalentry
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();

-- Definer's rights: the runtime role itself may not write balances.
CREATE OR REPLACE FUNCTION ledger_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    odd record;
BEGIN
    -- One question for all rules: each statement of a trigger has its price. What rows refer to is
    -- looked up one by one: a table that grew in this transaction passes for empty, and joins that
    -- read all of it would be chosen.
    SELECT * INTO odd FROM (
        SELECT CASE WHEN a.scale IS NULL THEN 'account' ELSE 'scale' END AS what,
               g.account_id AS id, g.asset_id
          FROM (SELECT account_id, asset_id, max(min_scale(amount)) AS scale
                  FROM new_postings GROUP BY account_id, asset_id) AS g
          LEFT JOIN LATERAL (
              SELECT (SELECT s.scale FROM settlement_asset s WHERE s.code = c.asset_id) AS scale
                FROM settlement_account c
               WHERE c.id = g.account_id AND c.asset_id = g.asset_id OFFSET 0) AS a ON true
         WHERE a.scale IS NULL OR g.scale > a.scale
        UNION ALL
        SELECT CASE WHEN e.id IS NULL THEN 'entry'
                    WHEN e.transaction_number <> pg_current_xact_id()::text::bigint THEN 'made'
                    ELSE 'balance' END,
               g.entry_id, g.asset_id
          FROM (SELECT entry_id, asset_id, sum(amount) AS total
                  FROM new_postings GROUP BY entry_id, asset_id) AS g
          LEFT JOIN LATERAL (
              SELECT j.id, j.transaction_number FROM settlement_journalentry j
               WHERE j.id = g.entry_id OFFSET 0) AS e ON true
         WHERE g.total <> 0
            OR e.transaction_number IS DISTINCT FROM pg_current_xact_id()::text::bigint
    ) AS oddities LIMIT 1;
    IF odd.what = 'account' THEN
        RAISE EXCEPTION 'there is no account % of asset % (posting_account_asset)',
            odd.id, odd.asset_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_account_asset';
    ELSIF odd.what = 'scale' THEN
        RAISE EXCEPTION 'an amount has more decimals than its asset %', odd.asset_id
            USING ERRCODE = '23L03';
    ELSIF odd.what = 'entry' THEN
        RAISE EXCEPTION 'there is no entry %', odd.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_entry';
    ELSIF odd.what = 'made' THEN
        RAISE EXCEPTION 'an entry takes postings only while it is being made'
            USING ERRCODE = '23L02';
    ELSIF odd.what = 'balance' THEN
        RAISE EXCEPTION 'entry % is not balanced in %', odd.id, odd.asset_id
            USING ERRCODE = '23L01';
    END IF;
    PERFORM FROM settlement_accountbalance
      WHERE account_id IN (SELECT account_id FROM new_postings)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE settlement_accountbalance b
       SET debit = b.debit + s.debit, credit = b.credit + s.credit, version = b.version + 1
      FROM (SELECT account_id,
                   coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
                   coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit
              FROM new_postings GROUP BY account_id) AS s
     WHERE b.account_id = s.account_id;
    RETURN NULL;
END $$;

-- Post a balanced entry once. The entry's unique key comes first (a second caller waits there and
-- is told that it repeats), then the locks in id order, then the holds it captures, then the
-- postings, whose trigger carries them into the balances.
CREATE OR REPLACE FUNCTION ledger_post(
    p_entry jsonb, p_accounts bigint[], p_amounts numeric[], p_memos text[],
    p_holds uuid[] DEFAULT '{}', p_keep numeric[] DEFAULT '{}', p_hold_keys text[] DEFAULT '{}',
    OUT entry_id bigint, OUT replayed boolean
) LANGUAGE plpgsql AS $$
DECLARE
    stored text;
    given_book text := p_entry ->> 'book';
    given_key text := p_entry ->> 'key';
BEGIN
    WITH made AS (
        INSERT INTO settlement_journalentry (
            public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
            idempotency_key, fingerprint, reverses_id, reason, actor_id, transaction_number
        ) VALUES (
            (p_entry ->> 'public_id')::uuid, given_book, p_entry ->> 'kind',
            (p_entry ->> 'effective_on')::date,
            ledger_period(given_book, (p_entry ->> 'effective_on')::date), clock_timestamp(),
            p_entry ->> 'source_type', p_entry ->> 'source_id', given_key,
            p_entry ->> 'fingerprint', (p_entry ->> 'reverses')::bigint, p_entry ->> 'reason',
            (p_entry ->> 'actor')::bigint, 0
        ) ON CONFLICT (book, idempotency_key) DO NOTHING RETURNING id
    ), freed AS MATERIALIZED (
        -- What was set aside is freed for this very entry, in the same breath.
        SELECT m.id, ledger_lock(p_accounts) AS locked,
               CASE WHEN cardinality(p_holds) > 0
                    THEN ledger_reduce_holds('capture', p_holds, p_keep, p_hold_keys, m.id)
               END AS reduced
          FROM made m
    ), posted AS (
        INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
        SELECT f.id, l.line, l.account, a.asset_id, l.amount, l.memo
          FROM freed f
          CROSS JOIN unnest(p_accounts, p_amounts, p_memos)
                     WITH ORDINALITY AS l (account, amount, memo, line)
          LEFT JOIN settlement_account a ON a.id = l.account
         ORDER BY l.line
    )
    SELECT m.id INTO entry_id FROM made m;
    replayed := entry_id IS NULL;
    IF replayed THEN
        SELECT id, fingerprint INTO entry_id, stored FROM settlement_journalentry
         WHERE book = given_book AND idempotency_key = given_key;
        IF stored IS DISTINCT FROM p_entry ->> 'fingerprint' THEN
            RAISE EXCEPTION 'key % was used for another entry', given_key
                USING ERRCODE = '23L04';
        END IF;
    END IF;
END $$;

-- Post many balanced entries of a book in one statement: the write path of settlement runs. Keys come
-- first and in their order, so that two batches never wait for each other crosswise; the trigger of
-- the postings locks balances in id order before it carries anything into them. An entry whose key
-- was used before keeps what it has. A line is [account, amount, memo].
CREATE OR REPLACE FUNCTION ledger_post_many(p_book text, p_entries jsonb)
    RETURNS TABLE (entry_key text, entry_id bigint)
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    made_count bigint;
    reused text;
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(p_entries) AS e (
            kind text, effective_on date, source_type text, source_id text,
            key text, fingerprint text, reason text, actor bigint, lines jsonb)
    ), months AS MATERIALIZED (
        SELECT d.effective_on, ledger_period(p_book, d.effective_on) AS period_id
          FROM (SELECT DISTINCT g.effective_on FROM given g) AS d
    ), made AS (
        INSERT INTO settlement_journalentry (
            public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
            idempotency_key, fingerprint, reason, actor_id, transaction_number
        )
        SELECT gen_random_uuid(), p_book, g.kind, g.effective_on, m.period_id, clock_timestamp(),
               g.source_type, g.source_id, g.key, g.fingerprint, g.reason, g.actor, 0
          FROM given g JOIN months m USING (effective_on)
         ORDER BY g.key
        ON CONFLICT (book, idempotency_key) DO NOTHING
        RETURNING id, idempotency_key
    ), lines AS MATERIALIZED (
        SELECT g.key, l.line, (l.item ->> 0)::bigint AS account_id,
               (l.item ->> 1)::numeric AS amount, l.item ->> 2 AS memo
          FROM given g
          CROSS JOIN LATERAL jsonb_array_elements(g.lines) WITH ORDINALITY AS l (item, line)
    ), accounts AS MATERIALIZED (
        SELECT a.id, a.asset_id FROM settlement_account a
         WHERE a.id IN (SELECT l.account_id FROM lines l)
    ), posted AS (
        INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
        SELECT m.id, l.line, l.account_id, a.asset_id, l.amount, l.memo
          FROM made m
          JOIN lines l ON l.key = m.idempotency_key
          LEFT JOIN accounts a ON a.id = l.account_id
         ORDER BY m.id, l.line
    )
    SELECT m.idempotency_key::text, m.id FROM made m;
    GET DIAGNOSTICS made_count = ROW_COUNT;
    IF made_count = jsonb_array_length(p_entries) THEN
        RETURN;
    END IF;
    SELECT e.idempotency_key INTO reused
      FROM jsonb_to_recordset(p_entries) AS g (key text, fingerprint text)
      JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key
     WHERE e.fingerprint <> g.fingerprint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key % was used for another entry', reused USING ERRCODE = '23L04';
    END IF;
    RETURN QUERY
        SELECT e.idempotency_key::text, e.id
          FROM jsonb_to_recordset(p_entries) AS g (key text)
          JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key;
END $$;

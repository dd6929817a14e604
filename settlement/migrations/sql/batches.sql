-- Post many balanced entries of a book in one call: the write path of settlement runs. The rules are
-- those of ledger_post, in the same order: keys (in their order, so that two batches never wait for
-- each other crosswise), locks in id order, postings, whose trigger carries them into the balances.
-- A line is [account, amount, memo].

CREATE FUNCTION ledger_post_many(p_book text, p_entries jsonb)
    RETURNS TABLE (entry_key text, entry_id bigint)
    LANGUAGE plpgsql AS $$
DECLARE
    reused text;
BEGIN
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(p_entries) AS e (
            public_id uuid, kind text, effective_on date, source_type text, source_id text,
            key text, fingerprint text, reason text, actor bigint)
    ), months AS MATERIALIZED (
        SELECT d.effective_on, ledger_period(p_book, d.effective_on) AS period_id
          FROM (SELECT DISTINCT g.effective_on FROM given g) AS d
    )
    INSERT INTO settlement_journalentry (
        public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
        idempotency_key, fingerprint, reason, actor_id, transaction_number
    )
        SELECT g.public_id, p_book, g.kind, g.effective_on, m.period_id, clock_timestamp(),
               g.source_type, g.source_id, g.key, g.fingerprint, g.reason, g.actor, 0
          FROM given g JOIN months m USING (effective_on)
         ORDER BY g.key
        ON CONFLICT (book, idempotency_key) DO NOTHING;
    SELECT e.idempotency_key INTO reused
      FROM jsonb_to_recordset(p_entries) AS g (key text, fingerprint text)
      JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key
     WHERE e.fingerprint <> g.fingerprint LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'key % was used for another entry', reused USING ERRCODE = '23L04';
    END IF;
    PERFORM ledger_lock(ARRAY(
        SELECT DISTINCT (l ->> 0)::bigint
          FROM jsonb_to_recordset(p_entries) AS g (lines jsonb), jsonb_array_elements(g.lines) AS l));
    -- Only entries made just now have no postings: an earlier one of the key keeps what it has.
    INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
        SELECT e.id, l.line, (l.item ->> 0)::bigint, a.asset_id,
               (l.item ->> 1)::numeric, l.item ->> 2
          FROM jsonb_to_recordset(p_entries) AS g (key text, lines jsonb)
          JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key
          CROSS JOIN LATERAL jsonb_array_elements(g.lines) WITH ORDINALITY AS l (item, line)
          LEFT JOIN settlement_account a ON a.id = (l.item ->> 0)::bigint
         WHERE NOT EXISTS (SELECT FROM settlement_posting p WHERE p.entry_id = e.id)
         ORDER BY 1, l.line;
    RETURN QUERY
        SELECT g.key, e.id
          FROM jsonb_to_recordset(p_entries) AS g (key text)
          JOIN settlement_journalentry e ON e.book = p_book AND e.idempotency_key = g.key;
END $$;

-- Plans of these functions are made once for each connection, often while the tables are small: a plan
-- that reads a whole table then would stay when it is large.
ALTER FUNCTION ledger_post_many(text, jsonb) SET enable_seqscan = off;
ALTER FUNCTION ledger_apply_postings() SET enable_seqscan = off;
ALTER FUNCTION ledger_check_balanced() SET enable_seqscan = off;
ALTER FUNCTION ledger_check_reversal() SET enable_seqscan = off;
ALTER FUNCTION ledger_apply_hold_event() SET enable_seqscan = off;

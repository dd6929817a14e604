ALTER FUNCTION ledger_apply_hold_event() RESET enable_seqscan;
ALTER FUNCTION ledger_check_reversal() RESET enable_seqscan;
ALTER FUNCTION ledger_check_balanced() RESET enable_seqscan;
ALTER FUNCTION ledger_apply_postings() RESET enable_seqscan;
DROP FUNCTION IF EXISTS ledger_post_many(text, jsonb);

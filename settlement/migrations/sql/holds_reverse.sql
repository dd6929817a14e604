DROP TRIGGER IF EXISTS hold_event_applied ON settlement_holdevent;
DROP TRIGGER IF EXISTS hold_opened ON settlement_hold;
DROP FUNCTION IF EXISTS ledger_apply_hold_event();
DROP FUNCTION IF EXISTS ledger_open_hold();
DROP INDEX IF EXISTS hold_placed_once;

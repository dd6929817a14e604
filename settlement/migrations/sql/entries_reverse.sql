DROP TRIGGER IF EXISTS entry_reversal ON settlement_journalentry;
DROP TRIGGER IF EXISTS entry_balanced ON settlement_journalentry;
DROP TRIGGER IF EXISTS entry_stamped ON settlement_journalentry;
DROP FUNCTION IF EXISTS ledger_check_reversal();
DROP FUNCTION IF EXISTS ledger_check_balanced();
DROP FUNCTION IF EXISTS ledger_stamp_entry();

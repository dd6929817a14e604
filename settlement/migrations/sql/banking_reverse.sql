DROP TRIGGER IF EXISTS bank_line_matched ON settlement_bankmatch;
DROP TRIGGER IF EXISTS bank_match_kept ON settlement_bankmatch;
DROP TRIGGER IF EXISTS payout_batch_kept ON settlement_payoutbatch;
DROP TRIGGER IF EXISTS payout_kept ON settlement_payout;
DROP TRIGGER IF EXISTS monthly_statement_kept ON settlement_monthlystatement;
DROP TRIGGER IF EXISTS tax_invoice_kept ON settlement_taxinvoice;
DROP TRIGGER IF EXISTS contract_kept ON settlement_contract;
DROP FUNCTION IF EXISTS bank_line_not_exceeded();
DROP FUNCTION IF EXISTS document_keeps_content();
CREATE OR REPLACE FUNCTION invoice_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- Money at the bank: a document keeps its content, moves along listed states only, and a bank line
-- is never matched beyond its amount.

CREATE FUNCTION document_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Arguments: the columns that may change, and the listed moves as 'from>to', both by commas.
    free text[] := string_to_array(TG_ARGV[0], ',');
    moves text[] := string_to_array(TG_ARGV[1], ',');
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - free = to_jsonb(OLD) - free
        AND (NEW.state = OLD.state OR OLD.state || '>' || NEW.state = ANY (moves))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a row of % keeps its content and its listed states', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER bank_match_kept BEFORE UPDATE OR DELETE ON settlement_bankmatch
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,entry_id,decided_by_id,decided_at,deposit_id',
        'proposed>confirmed,proposed>dropped,confirmed>undone');
CREATE TRIGGER payout_batch_kept BEFORE UPDATE OR DELETE ON settlement_payoutbatch
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,decided_by_id,decided_at,decision_reason',
        'draft>approved,draft>refused,approved>finished');
CREATE TRIGGER payout_kept BEFORE UPDATE OR DELETE ON settlement_payout
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,entry_id,paid_on,return_reason',
        'planned>ordered,planned>dropped,ordered>paid,ordered>returned,paid>returned,paid>ordered,returned>paid,returned>ordered');
CREATE TRIGGER monthly_statement_kept BEFORE UPDATE OR DELETE ON settlement_monthlystatement
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,answered_by_id,answered_at,objection',
        'sent>confirmed,sent>objected,sent>deemed,sent>superseded,confirmed>superseded,objected>confirmed,objected>superseded,deemed>superseded');
CREATE TRIGGER tax_invoice_kept BEFORE UPDATE OR DELETE ON settlement_taxinvoice
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,failure_code,failure_text,tax_number,issued_on,red_reason,red_confirmation,red_number,red_issued_on',
        'requested>issued,requested>failed,requested>withdrawn,failed>requested,failed>issued,failed>withdrawn,issued>red_requested,red_requested>issued,red_requested>red_lettered');
CREATE TRIGGER contract_kept BEFORE UPDATE OR DELETE ON settlement_contract
    FOR EACH ROW EXECUTE FUNCTION document_keeps_content(
        'state,content_sha256,provider,envelope,sent_at,signed_at',
        'draft>sent,draft>void,sent>signed,sent>void');

CREATE FUNCTION bank_line_not_exceeded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line_amount numeric;
    matched numeric;
BEGIN
    -- Two people matching the same line wait for each other.
    PERFORM pg_advisory_xact_lock(7241, NEW.line_id::integer);
    SELECT amount_cny INTO line_amount FROM settlement_bankline WHERE id = NEW.line_id;
    SELECT coalesce(sum(amount_cny), 0) INTO matched FROM settlement_bankmatch
     WHERE line_id = NEW.line_id AND state = 'confirmed' AND id <> NEW.id;
    IF NEW.state = 'confirmed'
        AND (sign(NEW.amount_cny) <> sign(line_amount)
             OR abs(matched + NEW.amount_cny) > abs(line_amount))
    THEN
        RAISE EXCEPTION 'bank line % is matched beyond its amount', NEW.line_id
            USING ERRCODE = '23L31';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_line_matched BEFORE INSERT OR UPDATE ON settlement_bankmatch
    FOR EACH ROW EXECUTE FUNCTION bank_line_not_exceeded();

-- A payment that the bank sends back leaves the supplier's statement open again.
CREATE OR REPLACE FUNCTION invoice_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state'
        AND (NEW.state = OLD.state
             OR (OLD.state, NEW.state) IN
                (('issued', 'paid'), ('issued', 'credited'), ('paid', 'credited'))
             OR (OLD.direction, OLD.state, NEW.state) = ('payable', 'paid', 'issued'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an issued document is never changed' USING ERRCODE = 'restrict_violation';
END $$;

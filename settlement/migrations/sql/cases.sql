-- Disputes, vouchers, defaults and security deposits: only listed changes of state happen. The
-- arguments are the column's allowed steps, such as 'opened>answered'.

CREATE FUNCTION case_moves_as_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> TG_ARGV[0] THEN
            RAISE EXCEPTION 'a row of % begins as %', TG_TABLE_NAME, TG_ARGV[0]
                USING ERRCODE = '23L21';
        END IF;
    ELSIF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY (TG_ARGV[1:]) THEN
        RAISE EXCEPTION '% cannot become % in %', OLD.state, NEW.state, TG_TABLE_NAME
            USING ERRCODE = '23L21';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER dispute_moves BEFORE INSERT OR UPDATE OR DELETE ON settlement_dispute
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'opened', 'opened>answered', 'opened>ruled', 'opened>withdrawn', 'answered>ruled',
        'answered>withdrawn', 'answered>expired');

CREATE TRIGGER ruling_moves BEFORE INSERT OR UPDATE OR DELETE ON settlement_disputeruling
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'entered', 'entered>approved', 'entered>rejected');

CREATE TRIGGER voucher_programme_moves
    BEFORE INSERT OR UPDATE OR DELETE ON settlement_voucherprogramme
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'entered', 'entered>active', 'entered>rejected', 'active>ended');

CREATE TRIGGER voucher_moves BEFORE INSERT OR UPDATE OR DELETE ON settlement_voucher
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'entered', 'entered>active', 'entered>rejected', 'active>used_up', 'active>expired',
        'active>recalled', 'used_up>active');

CREATE TRIGGER default_moves BEFORE INSERT OR UPDATE OR DELETE ON settlement_defaultcase
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'entered', 'entered>declared', 'entered>rejected', 'declared>recovered');

CREATE TRIGGER security_deposit_moves
    BEFORE INSERT OR UPDATE OR DELETE ON settlement_securitydeposit
    FOR EACH ROW EXECUTE FUNCTION case_moves_as_listed(
        'entered', 'entered>lodged', 'entered>rejected', 'lodged>release_asked',
        'lodged>released', 'lodged>taken', 'release_asked>lodged', 'release_asked>released',
        'release_asked>taken');

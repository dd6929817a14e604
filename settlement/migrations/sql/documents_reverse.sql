DROP TRIGGER IF EXISTS reading_revised ON settlement_meterreading;
DROP FUNCTION IF EXISTS reading_revises_interval();
DROP TRIGGER IF EXISTS invoice_table_kept ON settlement_invoice;
DROP TRIGGER IF EXISTS invoice_kept ON settlement_invoice;
DROP FUNCTION IF EXISTS invoice_keeps_content();

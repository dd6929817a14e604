"""Files of the bank: payment files, remittance advices, accounting vouchers, contracts."""

"""The message standards there are, by what they carry."""

from settlement.domain.banking.statement_files import ParsedStatement
from settlement.domain.formats.adapter import IncomingMessage, MessageAdapter
from settlement.domain.formats.camt053 import CAMT_053
from settlement.domain.formats.pain001 import PAIN_001, PaymentOrder
from settlement.domain.formats.ubl import UBL_21
from settlement.domain.formats.ubl_document import BillMessage

STATEMENT_READERS: tuple[IncomingMessage[ParsedStatement], ...] = (CAMT_053,)
PAYMENT_ADAPTERS: tuple[MessageAdapter[PaymentOrder], ...] = (PAIN_001,)
BILL_ADAPTERS: tuple[MessageAdapter[BillMessage], ...] = (UBL_21,)

"""The catalogue of reports: one row for each, in the order in which finance reads them.

A further report is one module with a `KIND` and one line here.
"""

from settlement.exports.carbon import green_share
from settlement.exports.carbon import overview as carbon
from settlement.exports.corrections import comparison, penalties
from settlement.exports.kinds import ReportKind
from settlement.exports.recognition import events as recognition
from settlement.exports.recognition import positions as netting
from settlement.exports.reports import (
    ageing,
    audit,
    bank,
    collateral,
    documents,
    focus,
    journal,
    payouts,
    statement,
    tax,
    trial_balance,
)

REPORTS: tuple[ReportKind, ...] = (
    statement.KIND,
    trial_balance.KIND,
    documents.REGISTER,
    documents.LINES,
    tax.TAX,
    ageing.KIND,
    payouts.KIND,
    tax.REVENUE,
    bank.KIND,
    collateral.KIND,
    comparison.KIND,
    penalties.KIND,
    carbon.KIND,
    green_share.KIND,
    recognition.KIND,
    netting.KIND,
    journal.KIND,
    audit.KIND,
    focus.KIND,
)

"""Layouts of bank and accounting files: the shipped ones, and changing them."""

import json
from typing import Any

from django.db import transaction

from marketplace.domain.errors import NotFound
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.banking.layouts import (
    PAYOUT_FIELDS,
    VOUCHER_FIELDS,
    LayoutInvalid,
    out_layout,
    statement_layout,
)
from settlement.models import FileProfile, FileProfileKind, SubjectMapping
from settlement.services.funds_requests import require_bookkeeper

_KIND = FileProfileKind
PROFILES: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    (
        "two-columns",
        _KIND.STATEMENT,
        "网银明细:借方、贷方两列",
        "Online banking, debit and credit columns",
        {
            "columns": {
                "booked_on": "交易日期",
                "amount_out": "借方发生额",
                "amount_in": "贷方发生额",
                "balance": "余额",
                "reference": "交易流水号",
                "counterparty_name": "对方户名",
                "counterparty_account": "对方账号",
                "purpose": "摘要",
            },
            "date_formats": ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S"],
            "opening_label": "期初余额",
            "closing_label": "期末余额",
        },
    ),
    (
        "one-column",
        _KIND.STATEMENT,
        "交易流水:收支标志、交易金额",
        "Transaction list, one amount with a direction",
        {
            "columns": {
                "booked_on": "记账日期",
                "direction": "收支标志",
                "amount": "交易金额",
                "balance": "账户余额",
                "reference": "流水号",
                "counterparty_name": "对方名称",
                "counterparty_account": "对方账户",
                "purpose": "附言",
            },
            "date_formats": ["%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d %H:%M:%S"],
            "incoming": ["收入", "贷", "C", "+"],
            "outgoing": ["支出", "借", "D", "-"],
        },
    ),
    (
        "batch-transfer",
        _KIND.PAYOUT,
        "批量转账",
        "Batch transfer",
        {
            "columns": [
                ["序号/业务编号", "number"],
                ["收款人户名", "payee_name"],
                ["收款人账号", "bank_account"],
                ["收款人开户行", "bank_name"],
                ["金额", "amount"],
                ["币种", "currency"],
                ["用途", "purpose"],
                ["期望日期", "pay_on"],
            ],
            "encoding": "utf-8-sig",
            "totals": True,
        },
    ),
    (
        "yonyou",
        _KIND.VOUCHER,
        "用友凭证导入",
        "Yonyou voucher import",
        {
            "columns": [
                ["制单日期", "date"],
                ["凭证类别", "word"],
                ["凭证号", "number"],
                ["附单据数", "attachments"],
                ["摘要", "summary"],
                ["科目编码", "subject_code"],
                ["科目名称", "subject_name"],
                ["借方金额", "debit"],
                ["贷方金额", "credit"],
                ["客户/供应商编码", "partner_code"],
                ["客户/供应商名称", "partner_name"],
                ["制单人", "maker"],
            ],
        },
    ),
    (
        "kingdee",
        _KIND.VOUCHER,
        "金蝶凭证引入",
        "Kingdee voucher import",
        {
            "columns": [
                ["凭证日期", "date"],
                ["会计期间", "period"],
                ["凭证字", "word"],
                ["凭证号", "number"],
                ["分录序号", "line"],
                ["摘要", "summary"],
                ["科目代码", "subject_code"],
                ["科目名称", "subject_name"],
                ["币别代码", "currency"],
                ["汇率", "rate"],
                ["借方", "debit"],
                ["贷方", "credit"],
                ["核算项目代码", "partner_code"],
                ["核算项目名称", "partner_name"],
                ["附件数", "attachments"],
                ["制单", "maker"],
            ],
        },
    ),
)
# Subjects of the ordinary chart for enterprises; longer prefixes of an operator go first.
SUBJECTS = (
    ("1002", "1002", "银行存款"),
    ("1122", "1122", "应收账款"),
    ("2202", "2202", "应付账款"),
    ("2203", "2203", "预收账款"),
    ("2221.01", "22210101", "应交增值税(销项税额)"),
    ("2221.02", "22210102", "应交增值税(进项税额)"),
    ("2221.03", "222109", "待认证进项税额"),
    ("2241", "2241", "其他应付款"),
    ("3001", "3001", "清算资金往来"),
    ("6001", "6001", "主营业务收入"),
    ("6603", "6603", "财务费用"),
    ("6711", "6711", "营业外支出"),
)


@transaction.atomic
def seed_profiles() -> int:
    """Write the shipped layouts down; those that stand keep what people made of them."""
    for code, kind, name_zh, name_en, layout in PROFILES:
        profile, is_new = FileProfile.objects.get_or_create(
            code=code,
            defaults={"kind": kind, "name_zh": name_zh, "name_en": name_en, "layout": layout},
        )
        if is_new and kind == _KIND.VOUCHER:
            SubjectMapping.objects.bulk_create(
                SubjectMapping(
                    profile=profile, account_prefix=prefix, subject_code=subject, subject_name=name
                )
                for prefix, subject, name in SUBJECTS
            )
    return FileProfile.objects.count()


@transaction.atomic
def change_profile(*, actor: Actor, code: str, layout_text: str, is_active: bool) -> FileProfile:
    """Change a layout, written as JSON.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such layout.
        LayoutInvalid: the layout is not usable.
    """
    require_bookkeeper(actor)
    profile = FileProfile.objects.select_for_update().filter(code=code).first()
    if profile is None:
        raise NotFound
    before = profile.layout
    profile.layout = checked_layout(profile.kind, layout_text)
    profile.is_active = is_active
    profile.changed_by = actor.user
    profile.save()
    record_audit(
        action="file_profile.changed",
        subject=profile,
        actor=actor.user,
        organisation=actor.organisation,
        before={"layout": before},
        after={"layout": profile.layout, "is_active": is_active},
    )
    return profile


@transaction.atomic
def set_subject(
    *, actor: Actor, code: str, account_prefix: str, subject_code: str, subject_name: str = ""
) -> SubjectMapping:
    """Say which subject stands for our accounts that begin so.

    Raises:
        NotPermitted, NotFound, Missing, TextTooLong: with the field.
    """
    require_bookkeeper(actor)
    profile = FileProfile.objects.filter(code=code, kind=_KIND.VOUCHER).first()
    if profile is None:
        raise NotFound
    mapping, _is_new = SubjectMapping.objects.update_or_create(
        profile=profile,
        account_prefix=check_text(
            account_prefix, field="account_prefix", max_length=40, required=True
        ),
        defaults={
            "subject_code": check_text(
                subject_code, field="subject_code", max_length=40, required=True
            ),
            "subject_name": check_text(subject_name, field="subject_name", max_length=80),
        },
    )
    record_audit(
        action="subject.set",
        subject=mapping,
        actor=actor.user,
        organisation=actor.organisation,
        after={"account": mapping.account_prefix, "subject": mapping.subject_code},
    )
    return mapping


def checked_layout(kind: str, text: str) -> dict[str, Any]:
    """Return the layout that a text holds; raises LayoutInvalid."""
    try:
        layout = json.loads(text)
    except ValueError:
        raise LayoutInvalid(field="layout", problem="JSON") from None
    if not isinstance(layout, dict):
        raise LayoutInvalid(field="layout", problem="JSON")
    if kind == _KIND.STATEMENT:
        statement_layout(layout)
    else:
        out_layout(layout, PAYOUT_FIELDS if kind == _KIND.PAYOUT else VOUCHER_FIELDS)
    return layout

"""The chart of accounts: what the platform keeps, and what every member gets."""

from dataclasses import dataclass

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Organisation
from settlement.models import Account, AccountBalance, AccountKind, Asset

CNY = "CNY"


class AccountMissing(RuleBroken):
    """The ledger account was never opened: the chart is not seeded or the member not admitted."""

    code = "account_missing"
    message = gettext_noop("There is no ledger account for %(purpose)s.")


@dataclass(frozen=True)
class AccountPlan:
    """An account of the chart; a member's code is completed with the member's own."""

    code: str
    purpose: str
    kind: AccountKind
    name_zh: str
    name_en: str


ASSETS = (
    ("CNY", "人民币", "Renminbi", 2),
    ("WH", "瓦时", "Watt-hours", 0),
    ("GCO2E", "克二氧化碳当量", "Grams of CO2 equivalent", 0),
)

PLATFORM_ACCOUNTS = (
    AccountPlan(
        "1002.01", "bank", AccountKind.ASSET, "银行存款—托管账户", "Bank, custodian account"
    ),
    AccountPlan(
        "2221.01",
        "vat_output",
        AccountKind.LIABILITY,
        "应交增值税—销项税额",
        "VAT payable, output tax",
    ),
    AccountPlan(
        "2221.02",
        "vat_input",
        AccountKind.LIABILITY,
        "应交增值税—进项税额",
        "VAT payable, input tax",
    ),
    AccountPlan(
        "2221.03",
        "vat_input_pending",
        AccountKind.LIABILITY,
        "待认证进项税额",
        "Input tax waiting for the supplier's tax invoice",
    ),
    AccountPlan(
        "2241.01",
        "congestion_rent",
        AccountKind.LIABILITY,
        "其他应付款—网络阻塞盈余",
        "Congestion rent held",
    ),
    AccountPlan(
        "2241.02",
        "link_tariffs",
        AccountKind.LIABILITY,
        "其他应付款—网络使用费",
        "Link tariffs owed to carriers",
    ),
    AccountPlan(
        "2241.08",
        "payout_in_transit",
        AccountKind.LIABILITY,
        "其他应付款—在途付款",
        "Payouts ordered from the bank",
    ),
    AccountPlan(
        "2241.09",
        "bank_suspense",
        AccountKind.LIABILITY,
        "其他应付款—待查款项",
        "Bank bookings not explained yet",
    ),
    AccountPlan(
        "3001.01",
        "trade_clearing",
        AccountKind.LIABILITY,
        "清算资金往来—交易清算",
        "Trade clearing, zero after every run",
    ),
    AccountPlan(
        "1221.01",
        "guarantee_receivable",
        AccountKind.ASSET,
        "其他应收款—保函索赔",
        "Called from banks under guarantees",
    ),
    AccountPlan(
        "2241.03",
        "risk_reserve",
        AccountKind.LIABILITY,
        "其他应付款—风险准备金",
        "Risk reserve of the market",
    ),
    AccountPlan(
        "6301.01", "default_penalty", AccountKind.INCOME, "营业外收入—违约金", "Default penalties"
    ),
    AccountPlan(
        "6602.01",
        "reserve_expense",
        AccountKind.EXPENSE,
        "提取风险准备金",
        "Set aside for the risk reserve",
    ),
    AccountPlan(
        "6702.01",
        "default_loss",
        AccountKind.EXPENSE,
        "信用减值损失—会员违约",
        "Loss on members' defaults",
    ),
    AccountPlan("6603.01", "bank_charges", AccountKind.EXPENSE, "财务费用—手续费", "Bank charges"),
    AccountPlan(
        "6603.02",
        "interest_income",
        AccountKind.INCOME,
        "财务费用—利息收入",
        "Interest received",
    ),
    AccountPlan("6001.01", "fee_income", AccountKind.INCOME, "主营业务收入—服务费", "Service fees"),
    AccountPlan("6711.01", "rounding", AccountKind.EXPENSE, "尾差", "Rounding"),
    AccountPlan(
        "6711.02",
        "settlement_adjustments",
        AccountKind.EXPENSE,
        "结算调整",
        "Penalties and adjustments passed through, and what the platform bears of them",
    ),
)

MEMBER_ACCOUNTS = (
    AccountPlan("2203", "member_funds", AccountKind.LIABILITY, "会员资金", "Member funds"),
    AccountPlan(
        "2202", "supplier_payable", AccountKind.LIABILITY, "应付供方结算款", "Payable to supplier"
    ),
    AccountPlan(
        "1122",
        "member_receivable",
        AccountKind.ASSET,
        "应收结算款",
        "Receivable beyond the member's funds",
    ),
    AccountPlan(
        "2242",
        "member_deposit",
        AccountKind.LIABILITY,
        "会员履约保证金",
        "Member's security deposit",
    ),
)

# Accounts whose balance may not fall below what is free: only these have a stored balance.
LIMITED_PURPOSES = frozenset({"member_funds"})


@transaction.atomic
def open_platform_accounts() -> list[Account]:
    """Open the assets and the platform's accounts; those that exist stay as they are."""
    for code, name_zh, name_en, scale in ASSETS:
        Asset.objects.get_or_create(
            code=code, defaults={"name_zh": name_zh, "name_en": name_en, "scale": scale}
        )
    return [_open(plan) for plan in PLATFORM_ACCOUNTS]


@transaction.atomic
def open_member_accounts(organisation: Organisation) -> list[Account]:
    """Open a member's accounts and the stored balance of its funds; a repeated call adds none."""
    if not Asset.objects.filter(code=CNY).exists():
        open_platform_accounts()
    accounts = [_open(plan, organisation) for plan in MEMBER_ACCOUNTS]
    for account in accounts:
        if account.purpose in LIMITED_PURPOSES:
            AccountBalance.objects.get_or_create(account=account)
    return accounts


@transaction.atomic
def open_voucher_account(*, code: str, name_zh: str, name_en: str) -> Account:
    """Open the account on which the issuer of a voucher programme owes what was redeemed."""
    if not Asset.objects.filter(code=CNY).exists():
        open_platform_accounts()
    plan = AccountPlan(
        f"1221.02.{code}",
        _voucher_purpose(code),
        AccountKind.ASSET,
        f"其他应收款—算力券—{name_zh}",
        f"Owed by the issuer of compute vouchers, {name_en}",
    )
    return _open(plan)


def voucher_account(code: str) -> Account:
    """Return the account of a voucher programme's issuer; raises AccountMissing."""
    return account_for(_voucher_purpose(code))


def _voucher_purpose(code: str) -> str:
    return f"voucher:{code}"


def account_for(
    purpose: str, *, organisation: Organisation | int | None = None, asset: str = CNY
) -> Account:
    """Return the ledger account of a purpose, the platform's own or a member's.

    Raises:
        AccountMissing: when it was never opened.
    """
    owner = organisation.pk if isinstance(organisation, Organisation) else organisation
    accounts = Account.objects.filter(purpose=purpose, asset_id=asset)
    if owner is None:
        account = accounts.filter(organisation__isnull=True).first()
    else:
        account = accounts.filter(organisation_id=owner).first()
    if account is None:
        raise AccountMissing(purpose=purpose)
    return account


def _open(plan: AccountPlan, organisation: Organisation | None = None) -> Account:
    suffix = f".{organisation.code}" if organisation else ""
    owner_zh = f"—{organisation.name_zh}" if organisation else ""
    owner_en = f" {organisation.name_en or organisation.name_zh}" if organisation else ""
    account, _ = Account.objects.get_or_create(
        purpose=plan.purpose,
        organisation=organisation,
        asset_id=CNY,
        defaults={
            "code": f"{plan.code}{suffix}",
            "kind": plan.kind,
            "name_zh": f"{plan.name_zh}{owner_zh}"[:120],
            "name_en": f"{plan.name_en}{owner_en}"[:160],
        },
    )
    return account

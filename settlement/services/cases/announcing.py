"""Telling members about disputes, overdue bills, defaults and vouchers."""

from collections.abc import Callable, Iterator

from django.urls import reverse

from marketplace.models import OutboxEvent, Role
from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement
from settlement.models import DefaultCase, Dispute, DisputeSide, Invoice, Voucher
from settlement.selectors.cases.debts import owed_on

# What happened, in both languages: parameters of a sentence travel with the notification.
_DISPUTE_STEPS = {
    "opened": ("已提出，请在期限内答复", "opened; please answer in time"),
    "answered": ("对方已答复", "the other side has answered"),
    "insisted": ("已申请裁决", "a ruling was asked for"),
    "ruled": ("已裁决", "ruled"),
    "withdrawn": ("已撤回", "withdrawn"),
    "expired": ("已逾期失效", "expired"),
}
_REMINDERS = {
    1: ("首次提醒", "first reminder"),
    2: ("再次提醒", "second reminder"),
    3: ("可被认定违约", "it may be declared a default"),
}


def _dispute_moved(event: OutboxEvent) -> Iterator[Announcement]:
    dispute = Dispute.objects.select_related("delivery__allocation__product").get(
        pk=event.payload["dispute_id"]
    )
    what = str(event.payload["what"])
    zh, en = _DISPUTE_STEPS[what]
    product = dispute.delivery.allocation.product
    opener = (
        Role.BUYER.value if dispute.side == DisputeSide.BUYER else Role.SUPPLIER.value,
        Role.SUPPLIER.value if dispute.side == DisputeSide.BUYER else Role.BUYER.value,
    )
    for organisation_id, role in zip(
        (dispute.organisation_id, dispute.respondent_id), opener, strict=True
    ):
        yield Announcement(
            organisation_id=organisation_id,
            topic="dispute.moved",
            # One company may stand on both sides: each is told as such.
            key=f"{dispute.number}:{what}:{role}",
            market_at=market_now(),
            roles=frozenset({role, Role.FINANCE.value}),
            params={
                "number": dispute.number,
                "product_zh": product.name_zh,
                "product_en": product.name_en,
                "step_zh": zh,
                "step_en": en,
            },
            path=reverse("dispute", args=[dispute.public_id]),
        )


def _bill_overdue(event: OutboxEvent) -> Iterator[Announcement]:
    bill = Invoice.objects.get(pk=event.payload["invoice_id"])
    step = int(event.payload["step"])
    zh, en = _REMINDERS[step]
    yield Announcement(
        organisation_id=bill.organisation_id,
        topic="bill.overdue",
        key=f"{bill.number}:{step}",
        market_at=market_now(),
        params={
            "number": bill.number,
            "owed_cny": str(owed_on(bill)),
            "due_on": bill.due_on.isoformat(),
            "step_zh": zh,
            "step_en": en,
        },
        path=reverse("bill", args=[bill.public_id]),
    )


def _default_moved(event: OutboxEvent) -> Iterator[Announcement]:
    case = DefaultCase.objects.get(pk=event.payload["default_id"])
    if event.payload["what"] != "declared":
        return
    yield Announcement(
        organisation_id=case.organisation_id,
        topic="default.declared",
        key=case.number,
        market_at=market_now(),
        params={"number": case.number, "owed_cny": str(case.owed_cny)},
        path=reverse("balance"),
    )


def _voucher_issued(event: OutboxEvent) -> Iterator[Announcement]:
    voucher = Voucher.objects.select_related("programme").get(pk=event.payload["voucher_id"])
    yield Announcement(
        organisation_id=voucher.organisation_id,
        topic="voucher.issued",
        key=voucher.number,
        market_at=market_now(),
        params={
            "number": voucher.number,
            "name_zh": voucher.programme.name_zh,
            "name_en": voucher.programme.name_en,
            "face_cny": str(voucher.face_cny),
            "until": voucher.valid_until.isoformat(),
        },
        path=reverse("vouchers"),
    )


HANDLERS: dict[str, Callable[[OutboxEvent], Iterator[Announcement]]] = {
    "dispute.moved": _dispute_moved,
    "bill.overdue": _bill_overdue,
    "default.moved": _default_moved,
    "voucher.issued": _voucher_issued,
}

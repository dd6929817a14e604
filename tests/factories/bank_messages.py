"""camt.053 statements written by hand, for tests; no bank's own sample."""

from collections.abc import Sequence
from decimal import Decimal

from tests.factories.banking import Booking

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
ACCOUNT = "6222 0000 0000 0001"


def camt_xml(
    bookings: Sequence[Booking],
    *,
    opening: str = "0",
    closing: str | None = None,
    version: str = "08",
    account: str = ACCOUNT,
    currency: str = "CNY",
    more: str = "",
) -> bytes:
    """Return the bookings as a statement; `more` is put in after the entries."""
    total = sum((Decimal(one.amount) for one in bookings), Decimal(opening))
    entries = "\n".join(_entry(one, version, currency) for one in bookings)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{SPACE}{version}">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-21T06:00:00+08:00</CreDtTm></GrpHdr>
  <Stmt>
   <Id>S-1</Id><CreDtTm>2026-11-21T06:00:00+08:00</CreDtTm>
   <Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
   {_balance("OPBD", Decimal(opening), currency)}
   {_balance("CLBD", Decimal(closing) if closing else total, currency)}
   {entries}{more}
  </Stmt>
 </BkToCstmrStmt>
</Document>
""".encode()


def entry_xml(
    amount: str, *, state: str = "<Cd>BOOK</Cd>", day: str = "2026-11-20", inside: str = ""
) -> str:
    """Return one entry as text."""
    direction = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Ntry><Amt Ccy="CNY">{amount.lstrip("-")}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        f"<Sts>{state}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>{inside}</Ntry>"
    )


def _balance(kind: str, amount: Decimal, currency: str) -> str:
    direction = "DBIT" if amount < 0 else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        f"<Dt><Dt>2026-11-20</Dt></Dt></Bal>"
    )


def _entry(one: Booking, version: str, currency: str) -> str:
    is_in = not one.amount.startswith("-")
    role = "Dbtr" if is_in else "Cdtr"
    name = f"<Nm>{one.name}</Nm>"
    party = name if version == "02" else f"<Pty>{name}</Pty>"
    state = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    return f"""<Ntry>
    <Amt Ccy="{currency}">{one.amount.lstrip("-")}</Amt>
    <CdtDbtInd>{"CRDT" if is_in else "DBIT"}</CdtDbtInd>
    <Sts>{state}</Sts>
    <BookgDt><Dt>{one.day}</Dt></BookgDt>
    <AcctSvcrRef>{one.reference}</AcctSvcrRef>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
     <RltdPties>
      <{role}>{party}</{role}>
      <{role}Acct><Id><Othr><Id>{one.account}</Id></Othr></Id></{role}Acct>
     </RltdPties>
     <RmtInf><Ustrd>{one.purpose}</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>"""

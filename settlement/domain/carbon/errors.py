"""The refusals of the carbon rules: codes are quoted between registries, hence in capitals.

A refusal changes nothing. Callers may add parameters; the sentence needs none of them.
"""

from __future__ import annotations

from marketplace.domain.errors import RuleBroken, gettext_noop


class CarbonRuleBroken(RuleBroken):
    """A request broke a rule of certificates, credits or recognition."""

    status = 409


class SerialRangeOverlap(CarbonRuleBroken):
    """Two ranges of one batch share a serial."""

    code = "SERIAL_RANGE_OVERLAP"
    message = gettext_noop("The serial range overlaps another range of the same batch.")


class SerialAlreadyRetired(CarbonRuleBroken):
    """A serial of the request has reached a final state (R16)."""

    code = "SERIAL_ALREADY_RETIRED"
    message = gettext_noop("A serial of this request is already retired; nothing was changed.")


class InsufficientHeld(CarbonRuleBroken):
    """The account holds fewer free units than were asked for."""

    code = "INSUFFICIENT_HELD"
    message = gettext_noop("The account does not hold that many free units.")


class NotOwner(CarbonRuleBroken):
    """The units belong to somebody else."""

    code = "NOT_OWNER"
    message = gettext_noop("These units do not belong to your organisation.")
    status = 403


class ReservationExpired(CarbonRuleBroken):
    """The units of a reservation went back to their holder."""

    code = "RESERVATION_EXPIRED"
    message = gettext_noop("The reservation has expired; its units are free again.")


class NoAgreement(CarbonRuleBroken):
    """No agreement leads from the unit's registry to the scheme; chains do not count (R19)."""

    code = "NO_AGREEMENT"
    message = gettext_noop("No recognition agreement covers this registry and this scheme.")


class AgreementNotInForce(CarbonRuleBroken):
    """The retirement date is outside the agreement's dates, or it is suspended (R13)."""

    code = "AGREEMENT_NOT_IN_FORCE"
    message = gettext_noop("The recognition agreement is not in force on the retirement date.")


class VintageOutOfWindow(CarbonRuleBroken):
    """The vintage year is outside the agreement's window (R12)."""

    code = "VINTAGE_OUT_OF_WINDOW"
    message = gettext_noop("The vintage is outside the window of the recognition agreement.")


class InstrumentNotEligible(CarbonRuleBroken):
    """The agreement does not take this instrument type or programme."""

    code = "INSTRUMENT_NOT_ELIGIBLE"
    message = gettext_noop("The recognition agreement does not accept this kind of unit.")


class CapExceeded(CarbonRuleBroken):
    """The credits need more room than a cap leaves (R8, R10)."""

    code = "CAP_EXCEEDED"
    message = gettext_noop("The request exceeds a cap of the recognition agreement.")


class AlreadyRecognised(CarbonRuleBroken):
    """The retirement was recognised before, here or elsewhere (R16)."""

    code = "ALREADY_RECOGNISED"
    message = gettext_noop("This retirement has already been recognised.")


class CertificateExpired(CarbonRuleBroken):
    """The certificate's last valid day is past (R14)."""

    code = "CERTIFICATE_EXPIRED"
    message = gettext_noop("The last valid day of the green certificate is past.")


class CertificateFrozen(CarbonRuleBroken):
    """The certificate is frozen for a CCER project (R20)."""

    code = "CERTIFICATE_FROZEN"
    message = gettext_noop("The green certificate is frozen because its project is registered.")


class ProductionYearMismatch(CarbonRuleBroken):
    """The production year is not the year of consumption (R14)."""

    code = "PRODUCTION_YEAR_MISMATCH"
    message = gettext_noop("The production year of the certificate is not the claimed year.")


class MwhAlreadyClaimed(CarbonRuleBroken):
    """The energy serves another instrument already (R20)."""

    code = "MWH_ALREADY_CLAIMED"
    message = gettext_noop("This energy is already claimed by certificates or credits.")


class AdjustmentRequired(CarbonRuleBroken):
    """A cross-border unit needs a corresponding adjustment first."""

    code = "ADJUSTMENT_REQUIRED"
    message = gettext_noop("The unit needs a corresponding adjustment before it is recognised.")


class CreditInvalidated(CarbonRuleBroken):
    """The registry took the credit back."""

    code = "CREDIT_INVALIDATED"
    message = gettext_noop("The registry has invalidated this credit.")


class StatementClosed(CarbonRuleBroken):
    """The statement, or the month it states, takes no more changes."""

    code = "STATEMENT_CLOSED"
    message = gettext_noop("The carbon statement is closed; a correction needs a new version.")


CARBON_REFUSALS: tuple[type[CarbonRuleBroken], ...] = (
    *(SerialRangeOverlap, SerialAlreadyRetired, InsufficientHeld, NotOwner, ReservationExpired),
    *(NoAgreement, AgreementNotInForce, VintageOutOfWindow, InstrumentNotEligible, CapExceeded),
    *(AlreadyRecognised, CertificateExpired, CertificateFrozen, ProductionYearMismatch),
    *(MwhAlreadyClaimed, AdjustmentRequired, CreditInvalidated, StatementClosed),
)

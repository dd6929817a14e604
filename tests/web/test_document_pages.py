"""Documents: handed in by members and applicants, read by the operator, by nobody else."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import DocumentState, OrganisationDocument, OrganisationState, Role
from tests.factories.marketplace import OrganisationFactory, PoolFactory, member
from tests.unit.marketplace.test_document_files import PDF, PNG
from tests.web.desks import browser, platform_people, stranger, text_of

pytestmark = pytest.mark.django_db


def hand_in(actor, data=PDF, name="执照.pdf", **fields):
    file = SimpleUploadedFile(name, data)
    sent = {"kind": "business_licence", "pool": "", "file": file, **fields}
    return browser(actor).post(reverse("documents"), sent)


@pytest.fixture
def applicant():
    """Somebody whose organisation waits for admission."""
    return member(OrganisationFactory(state=OrganisationState.PENDING), Role.SUPPLIER)


def test_applicant_hands_in_and_reads_back_the_same_bytes(applicant):
    assert hand_in(applicant).status_code == 302

    document = OrganisationDocument.objects.get()
    answer = browser(applicant).get(reverse("document", args=[document.public_id]))
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_wrong_files_are_refused_beside_the_field(applicant):
    answer = hand_in(applicant, data=b"<html>", name="a.pdf")
    hand_in(applicant)
    again = hand_in(applicant)

    assert answer.status_code == 422
    assert "Only PDF, PNG and JPEG" in answer.context["form"].errors["file"][0]
    assert "there already" in again.context["form"].errors["file"][0]
    assert OrganisationDocument.objects.count() == 1


def test_documents_of_others_and_pools_of_others_are_not_there(applicant):
    foreign = PoolFactory()
    hand_in(applicant)
    document = OrganisationDocument.objects.get()

    assert hand_in(applicant, data=PNG, name="a.png", pool=foreign.identifier).status_code == 422
    answer = browser(stranger()).get(reverse("document", args=[document.public_id]))
    assert answer.status_code == 404


def test_operator_refuses_with_a_reason_that_the_member_reads(applicant):
    hand_in(applicant)
    document = OrganisationDocument.objects.get()
    operator = platform_people()["operator"]
    url = reverse("document-decide", args=[document.public_id])

    silent = browser(operator).post(url, {"decision": "refuse", "reason": ""})
    browser(operator).post(url, {"decision": "refuse", "reason": "扫描不清晰"})

    document.refresh_from_db()
    assert silent.status_code == 422
    assert document.state == DocumentState.REFUSED
    assert "扫描不清晰" in text_of(browser(applicant).get(reverse("documents")))
    admission = reverse("admission", args=[applicant.organisation.public_id])
    assert "执照.pdf" in text_of(browser(operator).get(admission))

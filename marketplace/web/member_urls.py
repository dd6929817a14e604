"""Pages of signing up, and of admission by the operator."""

from django.urls import path

from marketplace.web import admission_pages, document_pages, pool_benchmarks, signup_pages

urlpatterns = [
    path("sign-up/", signup_pages.show_sign_up, name="sign-up"),
    path("sign-up/status/", signup_pages.show_status, name="sign-up-status"),
    path("sign-up/again/", signup_pages.apply_again, name="sign-up-again"),
    path("hardware/", pool_benchmarks.list_hardware, name="hardware"),
    path("documents/", document_pages.list_documents, name="documents"),
    path("documents/<uuid:public_id>/", document_pages.download_document, name="document"),
    path(
        "documents/<uuid:public_id>/decide/",
        document_pages.decide_on_document,
        name="document-decide",
    ),
    path("admissions/", admission_pages.list_admissions, name="admissions"),
    path("admissions/export.csv", admission_pages.export_members, name="admissions-csv"),
    path("admissions/<uuid:public_id>/", admission_pages.show_applicant, name="admission"),
    *(
        path(
            f"admissions/<uuid:public_id>/{decision}/",
            admission_pages.decide_admission,
            {"decision": decision},
            name=f"admission-{decision}",
        )
        for decision in admission_pages.DECISIONS
    ),
]

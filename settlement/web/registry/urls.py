"""Addresses of registries, holdings and retirements."""

from django.urls import path

from settlement.web.registry import explorer_pages, keeper_pages, member_pages

PROJECT = "registries/projects/<uuid:public_id>"

urlpatterns = [
    path("registries/", explorer_pages.show_registries, name="registries"),
    path("registries/serial/", explorer_pages.show_serial, name="registry-serial"),
    path("registries/batches/<uuid:public_id>/", explorer_pages.show_batch, name="unit-batch"),
    path("registries/projects/", explorer_pages.list_projects, name="registry-projects"),
    path(f"{PROJECT}/", explorer_pages.show_project, name="registry-project"),
    path(
        f"{PROJECT}/register-ccer/",
        keeper_pages.register_project,
        name="registry-project-register",
    ),
    path(f"{PROJECT}/issue-ccer/", keeper_pages.issue_credits, name="registry-project-issue"),
    path("registries/desk/", keeper_pages.show_desk, name="registry-desk"),
    path("registries/files/new/", keeper_pages.upload_file, name="registry-file-new"),
    path("registries/files/<uuid:public_id>/", keeper_pages.show_file, name="registry-file"),
    *(
        path(
            f"registries/files/<uuid:public_id>/{verdict}/",
            keeper_pages.decide_file,
            {"verdict": verdict},
            name=f"registry-file-{verdict}",
        )
        for verdict in ("confirm", "discard")
    ),
    *(
        path(
            f"registries/units/{act}/",
            keeper_pages.touch_units,
            {"act": act},
            name=f"units-{act}",
        )
        for act in ("invalidate", "lock", "unlock")
    ),
    path("holdings/", member_pages.show_holdings, name="holdings"),
    path("holdings/<uuid:public_id>/transfer/", member_pages.transfer, name="units-transfer"),
    path("holdings/<uuid:public_id>/retire/", member_pages.retire, name="units-retire"),
    path("retirements/", member_pages.list_retirements, name="retirements"),
    path("retirements/<uuid:public_id>/", member_pages.show_retirement, name="retirement"),
    path(
        "retirements/<uuid:public_id>/certificate.pdf",
        member_pages.download_certificate,
        name="retirement-certificate",
    ),
]

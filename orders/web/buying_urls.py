"""Pages of the buyer's desk: plans, projects, approvals, standing bids."""

from django.urls import path

from orders.web import approval_pages, plan_pages, project_pages, standing_pages

urlpatterns = [
    path("plans/", plan_pages.show_plans, name="plans"),
    path("projects/", project_pages.list_projects, name="projects"),
    path("projects/new/", project_pages.new_project, name="project-new"),
    path("projects/rule/", project_pages.change_rule, name="buying-rule"),
    path("projects/<uuid:public_id>/", project_pages.show_project, name="project"),
    path("projects/<uuid:public_id>/change/", project_pages.edit_project, name="project-change"),
    path("approvals/", approval_pages.list_approvals, name="approvals"),
    path("approvals/<uuid:public_id>/", approval_pages.decide, name="approval"),
    path("standing-bids/", standing_pages.list_standing_bids, name="standing-bids"),
    path("standing-bids/<uuid:public_id>/", standing_pages.show_standing_bid, name="standing-bid"),
    path(
        "standing-bids/<uuid:public_id>/change/",
        standing_pages.change_state,
        name="standing-bid-change",
    ),
]

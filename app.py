"""The whole box on one screen: every blueprint this application exposes, and nothing else."""

from chalice import Chalice

from chalicelib.accounts.routes import bp as accounts_routes
from chalicelib.approvals.routes import bp as approvals_routes
from chalicelib.org.routes import bp as org_routes
from chalicelib.publishing.jobs import bp as publishing_jobs
from chalicelib.publishing.routes import bp as publishing_routes
from chalicelib.routes import bp as box_routes

app = Chalice(app_name="signalbox")
for blueprint in (
    box_routes,
    org_routes,
    accounts_routes,
    approvals_routes,
    publishing_routes,
    publishing_jobs,
):
    app.register_blueprint(blueprint)

"""The whole box on one screen: every blueprint this application exposes, and nothing else."""

from chalice import Chalice

from chalicelib.accounts.register_routes import bp as register_routes
from chalicelib.accounts.routes import bp as accounts_routes
from chalicelib.analytics.jobs import bp as analytics_jobs
from chalicelib.analytics.routes import bp as analytics_routes
from chalicelib.approvals.routes import bp as approvals_routes
from chalicelib.core.endpoint import chalices_own_answers
from chalicelib.discovery.jobs import bp as discovery_jobs
from chalicelib.discovery.routes import bp as discovery_routes
from chalicelib.dormancy.jobs import bp as dormancy_jobs
from chalicelib.dormancy.routes import bp as dormancy_routes
from chalicelib.inbox.reply_routes import bp as inbox_reply_routes
from chalicelib.inbox.routes import bp as inbox_routes
from chalicelib.inbox.settings_routes import bp as inbox_settings_routes
from chalicelib.inventory.routes import bp as inventory_routes
from chalicelib.org.jobs import bp as org_jobs
from chalicelib.org.routes import bp as org_routes
from chalicelib.platform_changes.briefing_routes import bp as briefing_routes
from chalicelib.platform_changes.jobs import bp as changes_jobs
from chalicelib.platform_changes.outage_routes import bp as outage_routes
from chalicelib.platform_changes.routes import bp as changes_routes
from chalicelib.platform_changes.version_routes import bp as version_routes
from chalicelib.publishing.jobs import bp as publishing_jobs
from chalicelib.publishing.routes import bp as publishing_routes
from chalicelib.routes import bp as box_routes
from chalicelib.takedowns.routes import bp as takedowns_routes
from chalicelib.webhooks.jobs import bp as webhooks_jobs
from chalicelib.webhooks.routes import bp as webhooks_routes

app = Chalice(app_name="signalbox")
app.register_middleware(chalices_own_answers, "http")
for blueprint in (
    box_routes,
    org_routes,
    org_jobs,
    accounts_routes,
    register_routes,
    dormancy_routes,
    dormancy_jobs,
    approvals_routes,
    publishing_routes,
    publishing_jobs,
    inventory_routes,
    discovery_routes,
    discovery_jobs,
    takedowns_routes,
    analytics_routes,
    analytics_jobs,
    changes_routes,
    changes_jobs,
    version_routes,
    outage_routes,
    briefing_routes,
    webhooks_routes,
    webhooks_jobs,
    inbox_routes,
    inbox_reply_routes,
    inbox_settings_routes,
):
    app.register_blueprint(blueprint)

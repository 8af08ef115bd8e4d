"""Event name to the chores it causes; the chores join the event's own transaction.

One literal table, so that "what happens when" is read in one place. Chore kinds are handled in wiring.py.
"""

SUBSCRIPTIONS: dict[str, tuple[str, ...]] = {
    "ReachChanged": ("check_reach", "check_inventory_reach"),
    "PersonLeft": ("check_inventory_reach",),
    "PostPublished": ("count_published",),
    "VariantRefused": ("tell_outcome",),
    "VariantUnknown": ("tell_outcome",),
    "VariantLate": ("tell_outcome",),
    "VariantHeld": ("tell_outcome",),
    "CredentialsRefused": ("tell_credentials_refused",),
    "AccountConnected": ("start_rounds",),
    "AccountStopped": ("hold_account", "tell_account"),
    "SubscriptionLost": ("tell_account",),
    "AccountSilent": ("tell_account",),
    "AccountUnderReview": ("tell_under_review",),
    "AccountDisowned": (),
    "OutageBegan": ("note_outage", "tell_outage"),
    "OutageEnded": ("note_outage", "tell_outage_over"),
    "ImpostorFound": ("open_case_for_impostor",),
}

"""Moments at which the clock that posts is killed, or at which Slack or its answer is lost; and repeating them."""

import os
from collections import Counter

from support import clock_processes as clocks
from support.digest_stage import POST, kill_at_commit, kill_at_lock, kill_at_slack, kill_before_storing

from bot.db.models.slack import PostState
from bot.sandbox.slack.faults import Fault

TIMES = int(os.environ.get("DIGEST_KILLS", "2"))
# (posts in the channel, reports to the subscriber)
ONE_DIGEST, ONE_REPORT = (1, 0), (0, 1)


def killed_before_claim(stage):
    kill_at_lock(stage, f"LOCK TABLE {stage.posts.__tablename__} IN EXCLUSIVE MODE", PostState.PENDING)


def killed_while_claim_commits(stage):
    kill_at_commit(stage, PostState.CLAIMED)


def killed_while_claim_rolls_back(stage):
    kill_at_commit(stage, PostState.CLAIMED, rolled_back=True)
    assert stage.state() == PostState.PENDING


def killed_after_claim(stage):
    kill_at_lock(stage, f"LOCK TABLE {stage.read_when_claimed}", PostState.CLAIMED)


def killed_before_slack_accepts_late(stage, **time_shift):
    kill_at_slack(stage, **time_shift).release()


def killed_before_slack_loses_it(stage, **time_shift):
    kill_at_slack(stage, **time_shift).drop()


def killed_between_acceptance_and_answer(stage, **time_shift):
    kill_at_slack(stage, taken=True, **time_shift).release()


def killed_between_answer_and_storing(stage):
    kill_before_storing(stage, lambda request: request.release(), taken=True)


def killed_after_lost_answer(stage):
    kill_before_storing(stage, lambda request: request.drop(), taken=True)


def killed_after_lost_request(stage):
    kill_before_storing(stage, lambda request: request.drop(), taken=False)


def killed_while_posted_commits(stage):
    kill_at_commit(stage, PostState.POSTED)


def killed_while_posted_rolls_back(stage):
    kill_at_commit(stage, PostState.POSTED, rolled_back=True)
    assert stage.state() == PostState.CLAIMED


def killed_after_posted(stage):
    kill_at_lock(stage, "LOCK TABLE open_lists", PostState.POSTED)


def request_lost(stage):
    stage.slack.faults.inject(POST, Fault.DROP)
    clocks.finish(stage.start_clock())


def answer_lost(stage):
    stage.slack.faults.inject(POST, Fault.DROP, applied=True)
    clocks.finish(stage.start_clock())


LOST = [killed_before_slack_accepts_late, killed_before_slack_loses_it, killed_between_acceptance_and_answer]
MOMENTS = [
    killed_before_claim,
    killed_while_claim_commits,
    killed_while_claim_rolls_back,
    killed_after_claim,
    *LOST,
    killed_between_answer_and_storing,
    killed_after_lost_answer,
    killed_after_lost_request,
    killed_while_posted_commits,
    killed_while_posted_rolls_back,
    killed_after_posted,
    request_lost,
    answer_lost,
]


def repeat(name, act):
    """Run `act` many times and return the set of its results."""
    results = Counter(act() for _ in range(TIMES))
    print(f"\n{name}: {dict(results)}", end="")
    return set(results)


def revoke_history(stage):
    """Take away the two optional scopes that let the bot read channels."""
    scopes = stage.slack.manifest["oauth_config"]["scopes"]
    scopes["bot"] = [scope for scope in scopes["bot"] if scope not in scopes["bot_optional"]]

"""A strict little Slack in memory: what Slack would refuse it refuses, with Slack's error name. It stands for Slack, so
it imports nothing of the bot, and the bot nothing of it; between them are signed HTTP requests, one way and the other.

    workspace   a team with one app installed: people, channels, messages, dialogs, and every request the app made
    people      what a person sees and does, as Python; `outcome` is what came of it, `reading` its words as lines
    web_api     /api/{method}, response URLs, uploads; `methods` says what each method does, `faults` spoils the next call
    block_kit   the limits of blocks and views, as pure functions
    deliver     how requests reach the app: in process, or over HTTP
    serving     the Web API on a free port, for SLACK_API_URL
    doors       the same people as JSON, for the page

Stricter than Slack in three things, each for the reader's sake: the Web API wants `text` beside blocks, mrkdwn must
have its `&`, `<` and `>` escaped, and the 13,200 characters of a message's blocks are counted as compact JSON.
"""

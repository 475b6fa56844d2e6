"""A strict local Slack, in memory: it refuses what Slack would refuse, with Slack's error codes. It imports nothing of the
bot; the two exchange signed HTTP requests.

    app  <-- signed requests --  delivery  <-  entry_points, interactions  <-  people (Python), page_api (JSON)
     |                                                      |
     +---- Web API calls ---->  server -> web_api  ->  message_store, view_store  ->  workspace

    block_kit                     the limits of blocks and views, as pure functions
    models, errors                values in a workspace; refusals and error codes
    workspace, faults             all state, trigger ids, response URLs; failures that a test injects
    message_store, view_store     messages; modals and Home tabs
    payloads                      the JSON of users, channels, messages, views, interactions, events
    delivery                      requests to the app, over HTTP or in process
    forms                         finding elements on the screen and filling them in
    entry_points, interactions    slash commands, shortcuts, messages, Home; buttons, menus, dialogs
    people                        what a person sees and does, for tests and the tour
    web_api, server               /api/{method}, response URLs, uploads, on a free port
    page_api, page_actions        the same people as JSON, for the page

It is stricter than Slack in three ways: the Web API requires `text` beside blocks, mrkdwn must have its `&`, `<` and `>`
escaped, and the 13,200 characters of a message's blocks are counted as compact JSON.
"""

"""Block Kit as Slack enforces it. Public emulators accept anything; this package refuses what Slack would refuse, and
says where.

    schema        small checks that combine into the shape of an object
    elements      text objects, options, buttons, menus, inputs, and which block may contain which
    charts        charts and sortable tables
    blocks        blocks, and the surfaces (message, modal, Home) that accept them
    validation    all problems of a message's blocks, a view, or an options response
    state         the values of inputs and menus, and blocks as Slack stores them
"""

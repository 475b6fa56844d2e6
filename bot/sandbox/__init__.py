"""Everything on one machine, without accounts: the bot as districts run it, with the outside world made up around it.

run            the command `cleanup-bot sandbox`
assembly       all parts on one port, with a fresh database
demo, tour     the first steps of a district, printed; and a scripted check of the whole path
panel_api      the JSON API of the panel beside Slack: send a message, run the sync, change the SIS
sender         the district's texting product and its SMS provider
mailbox        a mail server that keeps what it receives
terminal       Block Kit as text in a terminal
district       the made-up district; its SIS export and its Slack workspace
slack          the strict local Slack, independent of the bot
page           the page in the browser
"""

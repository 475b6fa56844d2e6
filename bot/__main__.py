"""`python -m bot` is `cleanup-bot`, for machines where the project itself is not installed."""

from bot.cli import main

main()

"""`python -m bot.cli`, for a clone in which the script `cleanup-bot` is not installed."""

from bot.cli.app import main

if __name__ == "__main__":
    main()

"""`cleanup-bot`, and `python -m bot` for machines where the project itself is not installed."""

import gc


def main() -> None:
    """What is imported stays until the end. It is not searched for garbage, neither on the way nor when the program ends: that took
    as long as half of the imports.
    """
    gc.disable()
    from bot.cli import commands

    gc.freeze()
    gc.enable()
    commands.main()


if __name__ == "__main__":
    main()

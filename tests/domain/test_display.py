from bot.domain import display


def test_masked_number_shows_four_digits():
    assert display.masked("+13125550142") == "••• 0142"
    assert display.masked(None) == "no number"

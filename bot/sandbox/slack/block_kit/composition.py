"""Text, options, confirm dialogs: the objects that blocks and elements are composed of.

Text is checked for Slack's three escapes: a lone `<` or `&` in mrkdwn would be read as the start of a link or an
entity, so we refuse what Slack would render wrongly. Links, mentions and dates are legal.
"""

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.block_kit.schema import (
    Check,
    Problem,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    one_of,
    shape,
    string,
    unique,
    url,
)

_ANGLE = re.compile(
    r"<(?:(?:https?|slack|ftp)://[^<>|\s]+|(?:mailto|tel):[^<>|]+|@[UW][A-Z0-9]+|\#[CGD][A-Z0-9]+"
    r"|!subteam\^S[A-Z0-9]+|!date\^\d+\^[^<>|]*|!here|!channel|!everyone)(?:\|[^<>]*)?>"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_QUOTE = re.compile(r"^\s*>(?:>>)?", re.MULTILINE)


def unescaped(text: str) -> str | None:
    """The first character of mrkdwn that should have been escaped, with what follows it; None when all is well."""
    rest = _QUOTE.sub("", _ENTITY.sub("", _ANGLE.sub("", text)))
    found = re.search(r"[<>&].{0,12}", rest)
    return found.group() if found else None


def _escaped(value: Any, pointer: str) -> Iterator[Problem]:
    if value["type"] == "mrkdwn" and (found := unescaped(value["text"])):
        yield Problem(f"{pointer}/text", f"must escape &, < and > as entities: {found!r}")


def _text(most: int, least: int) -> dict[str, Check]:
    content = {"text": string(most, least=least)}
    return {
        "plain_text": shape(content, {"emoji": boolean}),
        "mrkdwn": shape(content, {"verbatim": boolean}, _escaped),
    }


def any_text(most: int, least: int = 1) -> Check:
    return by_type(_text(most, least))


def plain_text(most: int, least: int = 1) -> Check:
    return by_type({"plain_text": _text(most, least)["plain_text"]})


confirm = shape(
    {"title": plain_text(100), "text": any_text(300)},
    {"confirm": plain_text(30), "deny": plain_text(30), "style": one_of("primary", "danger")},
)

slack_file = shape({}, {"id": string(255), "url": url()}, exactly_one("id", "url"))

select_option = shape({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75)})
choice_option = shape({"text": any_text(75), "value": string(150)}, {"description": any_text(75)})
overflow_option = shape({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75), "url": url()})
option_group = shape({"label": plain_text(75), "options": array(select_option, 1, 100)}, {})

dispatch_action_config = shape(
    {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 1, 2)}, {}
)

conversation_filter = shape(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 1, 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)


def offered(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Every option of a menu, flat, whether it stands in a group or not."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def distinct_options(value: Any, pointer: str) -> Iterator[Problem]:
    yield from unique(offered(value), f"{pointer}/options", "value")


def initial_among_options(value: Any, pointer: str) -> Iterator[Problem]:
    """An initial option must be one of the options, exactly as it stands there: text, value and description."""
    known = [_bare(option) for option in offered(value)]
    chosen = [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
    name = "initial_option" if "initial_option" in value else "initial_options"
    for option in chosen:
        if _bare(option) not in known:
            yield Problem(f"{pointer}/{name}", f"option is not among the options: {option['value']}")


def _bare(option: dict[str, Any]) -> tuple[str, str, str | None]:
    description = option.get("description")
    return option["value"], option["text"]["text"], description["text"] if description else None


def options_answer_problems(answer: dict[str, Any]) -> list[Problem]:
    """What is wrong with an app's answer to a `block_suggestion`: `options` or `option_groups`, at most 100."""
    check = shape(
        {},
        {"options": array(select_option, 0, 100), "option_groups": array(option_group, 0, 100)},
        exactly_one("options", "option_groups"),
        distinct_options,
    )
    return list(check(answer, ""))

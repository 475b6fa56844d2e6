"""What Vonage's statuses and codes mean: `dlr:` and `status:` from receipts of the SMS API, `messages:` and `messages-status:`
from the Messages API, `send:` from the answer to whoever sends. Source: Vonage's guides to delivery receipts and errors.
"""

from collections.abc import Mapping

from bot.domain.sms_status import Outcome
from bot.providers.receipt import Code

_OURS = Outcome.NOT_CONTACT_PROBLEM
_UNKNOWN = "The carrier did not deliver and cannot say why."
_MOVED = "The number moved to another carrier and could not be found there."
_NO_ROUTE = "There is no way to this number; it may be a landline or wrong."
_TOO_YOUNG = "The carrier keeps such texts from this line because of the age of its owner."
_NO_TEXTS = "The carrier has blocked this number, or its plan has no texts."
_NO_CREDIT = "The prepaid credit of this number is used up."
_OFF = "The phone was off or out of range."
_GONE = "The number is no longer in service."
_BUSY = "The phone was busy."
_STOPPED = "This number has texted STOP to us."
_SPAM = "A filter took our words for spam."
_BARRED = "Vonage has this number on its list of numbers that get no texts."
_FAST = "We sent faster than our account allows."
_MISSING = "We left something out of our request."
_INVALID = "Something in our request was wrong."
_VONAGE = "Vonage failed inside."
_UNREADABLE = "Vonage could not read our text or the number."
_SUSPENDED = "Our Vonage account is suspended."
_CREDIT = "Our Vonage account has no credit left."
_LONG = "Our text was too long."
_SIGNATURE = "Our signature was not accepted."
_SENDER = "The name or number we send from is not allowed."
_TRIAL = "Our account is a trial and may only text numbers we have listed."
_INDIA = "Our sender is not registered in that country as its rules ask."

CODES: Mapping[str, Code] = {
    "status:accepted": Code(Outcome.PENDING, "A carrier has taken the text and has not delivered it yet."),
    "status:buffered": Code(Outcome.PENDING, "The text waits at the carrier."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:expired": Code(Outcome.UNCONFIRMED, "The carrier kept trying until the text's time ran out."),
    "status:failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:rejected": Code(Outcome.BLOCKED, "The carrier refused and gave no reason.", shaky=True, reasonless=True),
    "status:unknown": Code(Outcome.UNCONFIRMED, "The carrier said nothing of use."),
    "dlr:0": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "dlr:1": Code(Outcome.UNCONFIRMED, _UNKNOWN, reasonless=True),
    "dlr:2": Code(Outcome.TURNED_OFF, _OFF),
    "dlr:3": Code(Outcome.INACTIVE, _GONE),
    "dlr:4": Code(Outcome.BLOCKED, "The contact has barred such texts."),
    "dlr:5": Code(Outcome.UNCONFIRMED, _MOVED, shaky=True),
    "dlr:6": Code(_OURS, _SPAM),
    "dlr:7": Code(Outcome.TURNED_OFF, _BUSY),
    "dlr:8": Code(_OURS, "The carrier's network failed."),
    "dlr:9": Code(Outcome.OPT_OUT, _STOPPED),
    "dlr:10": Code(_OURS, "The carrier does not allow what our text holds."),
    "dlr:11": Code(_OURS, "Vonage found no route to the carrier."),
    "dlr:12": Code(Outcome.UNCONFIRMED, _NO_ROUTE, shaky=True),
    "dlr:13": Code(Outcome.BLOCKED, _TOO_YOUNG),
    "dlr:14": Code(Outcome.BLOCKED, _NO_TEXTS),
    "dlr:15": Code(Outcome.BLOCKED, _NO_CREDIT, shaky=True),
    "dlr:16": Code(_OURS, "We reached the limit of our gateway."),
    "dlr:50": Code(_OURS, _INDIA),
    "dlr:51": Code(_OURS, "Our sender name is not registered in that country as its rules ask."),
    "dlr:52": Code(_OURS, "The words of our text are not registered in that country as its rules ask."),
    "dlr:53": Code(Outcome.BLOCKED, "The contact has not agreed to such texts, as that country asks.", shaky=True),
    "dlr:54": Code(_OURS, "Our text broke a rule of that country."),
    "dlr:99": Code(Outcome.UNCONFIRMED, "The route to the carrier failed, and nobody says why.", reasonless=True),
    "send:1": Code(_OURS, _FAST),
    "send:2": Code(_OURS, _MISSING),
    "send:3": Code(_OURS, _INVALID),
    "send:4": Code(_OURS, "Our Vonage credentials were not accepted."),
    "send:5": Code(_OURS, _VONAGE),
    "send:6": Code(_OURS, _UNREADABLE),
    "send:7": Code(Outcome.BLOCKED, _BARRED),
    "send:8": Code(_OURS, _SUSPENDED),
    "send:9": Code(_OURS, _CREDIT),
    "send:10": Code(_OURS, "We have too many connections to Vonage."),
    "send:11": Code(_OURS, "Our account may not send in this way."),
    "send:12": Code(_OURS, _LONG),
    "send:14": Code(_OURS, _SIGNATURE),
    "send:15": Code(_OURS, _SENDER),
    "send:22": Code(_OURS, "We named a carrier's network that does not exist."),
    "send:23": Code(_OURS, "The address we gave for receipts was wrong."),
    "send:29": Code(_OURS, _TRIAL),
    "send:32": Code(_OURS, "We gave both a signature and a password, and only one may be given."),
    "send:33": Code(Outcome.INACTIVE, _GONE),
    "messages:1000": Code(_OURS, _FAST),
    "messages:1010": Code(_OURS, _MISSING),
    "messages:1020": Code(_OURS, _INVALID),
    "messages:1030": Code(_OURS, _VONAGE),
    "messages:1040": Code(_OURS, _UNREADABLE),
    "messages:1050": Code(Outcome.BLOCKED, _BARRED),
    "messages:1060": Code(_OURS, _SUSPENDED),
    "messages:1070": Code(_OURS, _CREDIT),
    "messages:1080": Code(_OURS, "Our account may not send in this way."),
    "messages:1090": Code(_OURS, _LONG),
    "messages:1100": Code(_OURS, "Vonage could not reach the next system."),
    "messages:1110": Code(_OURS, _SIGNATURE),
    "messages:1120": Code(_OURS, _SENDER),
    "messages:1130": Code(_OURS, "The time we gave the text is not allowed."),
    "messages:1140": Code(_OURS, "Our account may not use this feature."),
    "messages:1160": Code(_OURS, _TRIAL),
    "messages:1170": Code(Outcome.INACTIVE, "Vonage says that this is no phone number."),
    "messages:1180": Code(Outcome.TURNED_OFF, _OFF),
    "messages:1190": Code(Outcome.INACTIVE, _GONE),
    "messages:1200": Code(Outcome.UNCONFIRMED, _MOVED, shaky=True),
    "messages:1210": Code(_OURS, _SPAM),
    "messages:1220": Code(Outcome.TURNED_OFF, _BUSY),
    "messages:1230": Code(_OURS, "The carrier's network failed."),
    "messages:1240": Code(Outcome.OPT_OUT, _STOPPED),
    "messages:1241": Code(_OURS, "We sent this number too many texts in a short time."),
    "messages:1250": Code(_OURS, "Vonage found no route to the carrier."),
    "messages:1260": Code(Outcome.UNCONFIRMED, _NO_ROUTE, shaky=True),
    "messages:1270": Code(Outcome.BLOCKED, _TOO_YOUNG),
    "messages:1280": Code(Outcome.BLOCKED, _NO_TEXTS),
    "messages:1290": Code(Outcome.BLOCKED, _NO_CREDIT, shaky=True),
    "messages:1330": Code(Outcome.UNCONFIRMED, _UNKNOWN, reasonless=True),
    "messages:1360": Code(Outcome.UNCONFIRMED, "The text's time ran out before it arrived."),
    "messages-status:submitted": Code(Outcome.PENDING, "Vonage has handed the text to a carrier."),
    "messages-status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "messages-status:read": Code(Outcome.DELIVERED, "The text was opened."),
    "messages-status:rejected": Code(
        Outcome.UNCONFIRMED, "It was refused without a reason.", shaky=True, reasonless=True
    ),
    "messages-status:undeliverable": Code(Outcome.UNCONFIRMED, _UNKNOWN, reasonless=True),
}

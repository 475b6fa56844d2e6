"""What Sinch's statuses and codes mean: the 400s are Sinch's own, `dlr:` are those of carriers and of SMPP.

The carriers' codes come from the systems that were asked on the way (subscriber register, switch, message center, next
gateway), so one cause has many numbers. Source: Sinch's delivery report codes and SMPP error codes.
"""

from collections.abc import Mapping, Sequence

from bot.domain.sms_status import Outcome
from bot.providers.receipt import Code

_OURS = Outcome.NOT_CONTACT_PROBLEM

_SINCHS_OWN: Mapping[str, Code] = {
    "status:Queued": Code(Outcome.PENDING, "The text waits its turn at Sinch."),
    "status:Dispatched": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "status:Delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:Aborted": Code(_OURS, "The text never left Sinch, and Sinch gave no reason."),
    "status:Cancelled": Code(_OURS, "We called the text back before it was sent."),
    "status:Rejected": Code(Outcome.UNCONFIRMED, "It was refused without a reason.", shaky=True, reasonless=True),
    "status:Failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:Expired": Code(Outcome.UNCONFIRMED, "The text's time ran out before it arrived.", shaky=True),
    "status:Deleted": Code(_OURS, "The text was deleted before it was sent."),
    "status:Unknown": Code(Outcome.UNCONFIRMED, "The carrier said nothing, or nothing that Sinch could read."),
    "400": Code(Outcome.PENDING, "The text waits its turn at Sinch."),
    "401": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "402": Code(_OURS, "Sinch could not find a route to the carrier."),
    "403": Code(_OURS, "Sinch failed inside."),
    "404": Code(_OURS, "Sinch could not hand the text over for the moment."),
    "405": Code(_OURS, "A blank in our text had nothing to fill it."),
    "406": Code(_OURS, "The text waited at Sinch until its time ran out."),
    "407": Code(_OURS, "We called the text back before it was sent."),
    "408": Code(_OURS, "Sinch refused the text."),
    "410": Code(_OURS, "Sinch found no number of ours to send from."),
    "411": Code(_OURS, "Our text had more parts than we allow."),
    "412": Code(_OURS, "Our account may not text that region."),
    "413": Code(_OURS, "Our Sinch account is blocked.", shaky=True),
    "414": Code(_OURS, "The address of our picture was wrong.", shaky=True),
    "415": Code(_OURS, "The carrier did not take our picture message.", shaky=True),
    "416": Code(_OURS, "The carrier or the phone takes no picture messages.", shaky=True),
    "417": Code(Outcome.UNCONFIRMED, "Our picture message could not reach this number.", shaky=True),
    "418": Code(_OURS, "The phone could not read our picture message.", shaky=True),
}

_CARRIERS: Sequence[tuple[Code, str]] = (
    (Code(Outcome.TURNED_OFF, "The phone was off or out of range."), "153 159 201 202"),
    (Code(Outcome.TURNED_OFF, "The phone was busy."), "203"),
    (Code(Outcome.TURNED_OFF, "The memory of the phone was full."), "158 210"),
    (Code(Outcome.INACTIVE, "The carrier does not know this number."), "100 150"),
    (Code(Outcome.INACTIVE, "The carrier no longer accepts the card in this phone."), "205"),
    (Code(Outcome.INACTIVE, "The carrier says that this is no valid number."), "108 300 301 302 303"),
    (Code(Outcome.BLOCKED, "The contact or the carrier bars such texts."), "151 254 255 256 257"),
    (Code(Outcome.BLOCKED, "The carrier blocks this phone."), "16 206"),
    (Code(Outcome.BLOCKED, "This number is blocked at Sinch, maybe since a STOP."), "61"),
    (Code(Outcome.BLOCKED, "The plan of this number has no texts."), "152 204"),
    (Code(Outcome.LANDLINE, "What answers at this number cannot get texts.", shaky=True), "212"),
    (Code(Outcome.UNCONFIRMED, "The carrier refused and gave no reason.", reasonless=True), "110 160 213 320 321"),
    (Code(Outcome.UNCONFIRMED, "The carrier did not deliver and cannot say why.", reasonless=True),
     "0 11 114 164 217 349 399"),
    (Code(Outcome.UNCONFIRMED, "The carrier could not tell for the moment which phone this is."), "109 200"),
    (Code(Outcome.UNCONFIRMED, "The carrier does not offer what the text needed."), "101 154"),
    (Code(Outcome.UNCONFIRMED, "The systems of the carrier did not understand each other."),
     "103 104 105 156 157 208 209 211"),
    (Code(Outcome.UNCONFIRMED, "The carrier broke the delivery off."), "111 112 161 162 214 215"),
    (Code(Outcome.UNCONFIRMED, "The next system had a passing trouble."), "322 370"),
    (Code(_OURS, "Sinch could not find a route to the carrier."), "1 2 3 4 5 6 7 8 17"),
    (Code(_OURS, "Sinch has no route for this kind of number."), "9 10 12"),
    (Code(_OURS, "Sinch may not ask, or could not, where this phone is."), "13 14 77"),
    (Code(_OURS, "A filter stopped the text."), "15"),
    (Code(_OURS, "Our sender does not fit the place the text came from."), "19"),
    (Code(_OURS, "Our sender is blocked."), "60"),
    (Code(_OURS, "A filter stopped the words of our text."), "62"),
    (Code(_OURS, "The message center that we used is blocked."), "63"),
    (Code(_OURS, "We reached our limit."), "64"),
    (Code(_OURS, "The text went round in circles."), "65"),
    (Code(_OURS, "The form of our text is not allowed."), "66 67"),
    (Code(_OURS, "Sinch failed inside."), "40 50 51 52 53 54 55 56 113 163 216"),
    (Code(_OURS, "The connection to the next system failed."), "18 70 71 72 73 74 75 76 361 362"),
    (Code(_OURS, "The carrier's network failed."), "102 155 207"),
    (Code(_OURS, "The carrier does not know the message center that we used."), "106"),
    (Code(_OURS, "The carrier's network was overloaded."), "107"),
    (Code(_OURS, "The queue of the next system was full."), "360"),
    (Code(_OURS, "The line that we send from is barred from sending."), "250 251 252 253"),
    (Code(_OURS, "The number that we send from is not valid for the next system."), "310 311 312"),
    (Code(_OURS, "The next system did not take the form of our request."),
     "304 330 331 332 333 334 335 336 337 338 339 340 341 342 343 344 345 346 347 348 350"),
)  # fmt: skip

CODES: Mapping[str, Code] = {
    **_SINCHS_OWN,
    **{f"dlr:{number}": code for code, numbers in _CARRIERS for number in numbers.split()},
}

"""What people see of an import: the dialog for the file, its preview with questions, and what was done."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.db.models.reports import ReportImport, ReportState
from bot.domain.display import day_and_time, plural
from bot.mass_messages.report_columns import Column, Layout
from bot.mass_messages.report_import import ResultsMessage
from bot.mass_messages.report_preview import Preview
from bot.mass_messages.report_words import LABELS, Meaning, may_be_landline_or_inactive
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block, Card
from bot.slack.results import ids

_TITLE = "Import results"
_MAX_PROBLEMS, _MAX_QUESTIONS, _MAX_REASON = 10, 10, 200
_MAX_LABEL, _MAX_ID = 60, 150
_COLUMN_QUESTIONS = {Column.TO: "Which column has the phone number?", Column.RESULT: "Which column has the result?"}
READING, IMPORTING = "⏳ The report is being read.", "⏳ The results are being imported."


def upload_dialog(messages: Sequence[ResultsMessage], latest: ReportImport | None, zone: ZoneInfo) -> Block:
    """Return the dialog for the file and its message."""
    recent = [
        (f"{b.cut(message.title, 50)} · {day_and_time(message.sent_at.astimezone(zone))}", message.id, "")
        for message in messages
        if len(message.id) <= _MAX_ID
    ]
    menu = b.menu("Choose a message", ids.MESSAGE, recent)
    file_input: Block = {"type": "file_input", "filetypes": ["csv", "xlsx"], "max_files": 1}
    title: Block = {"type": "plain_text_input", "max_length": 200}
    blocks = [
        *_latest(latest),
        b.section(
            "Download the delivery report of *one* mass message from your messenger, and choose it here. "
            "You see a preview first. Nothing changes until you press *Import* there."
        ),
        b.input_block(ids.FILE, "Report", file_input, hint="A CSV or Excel file of up to 10 MB, as it was downloaded"),
        *([b.input_block(ids.MESSAGE, "Mass message", menu[0], optional=True)] if menu else []),
        b.input_block(ids.TITLE, "Or its title", title, optional=True, hint="For a message that is not in the menu"),
        b.input_block(ids.SENT_AT, "And when it was sent", {"type": "datetimepicker"}, optional=True),
    ]
    return b.modal(_TITLE, blocks, callback_id=ids.SUBMITTED, metadata="", submit="Preview")


def _latest(row: ReportImport | None) -> list[Block]:
    if row is None:
        return []
    if row.state == ReportState.READY:
        button, words = b.button("Open preview", ids.OPEN_PREVIEW, str(row.id)), "waits for you"
    else:
        button, words = undo_button(row.id), "is imported"
    return [b.section(f"Your report on *{b.escaped(row.title)}* {words}.", accessory=button), b.divider()]


def undo_button(report_id: int) -> Block:
    question = "The results of this report will not count anymore, and the list changes back."
    confirm = b.confirm("Undo this import?", question, yes="Undo")
    return b.button("Undo", ids.UNDO, str(report_id)) | {"confirm": confirm}


def notice_dialog(sentence: str, *, dialog_id: str | None = None) -> Block:
    view = b.modal(_TITLE, [b.section(sentence)], callback_id=ids.ANSWERED, metadata="")
    return view | {"external_id": dialog_id} if dialog_id else view


def card_dialog(card: Card) -> Block:
    return b.modal(_TITLE, card.blocks, callback_id=ids.ANSWERED, metadata="")


def questions(preview: Preview | None, layout: Layout) -> list[list[object]]:
    """Return what a person has to be asked, as `ReportImport.questions`: columns first, since words depend on them."""
    if layout.missing:
        return [["column", str(column), layout.titles[:100]] for column in layout.missing]
    return [["word", word] for word in list(preview.report.unknown)[:_MAX_QUESTIONS]] if preview else []


def preview_dialog(
    row: ReportImport, preview: Preview | None, layout: Layout, *, later: ResultsMessage | None
) -> Block:
    """Return the preview: counts, unclear rows, and questions; without `preview`, columns have to be pointed out first.

    `later` is a message with newer results than this report.
    """
    asked = [_question(number, question) for number, question in enumerate(row.questions)]
    blocks = [
        b.section(f"*{b.escaped(row.title)}* · {b.date(row.sent_at, style='{date_short}, {time}')}"),
        *(_facts(preview) if preview else []),
        *([b.section(_newer_results(later))] if later else []),
        b.context(_recognized(layout)),
        *asked,
        *(_problems(preview) if preview else []),
        *file_notice(row.file_link),
    ]
    submit = "Continue" if asked else "Import" if preview and preview.pairs else None
    return b.modal(_TITLE, blocks, callback_id=ids.ANSWERED, metadata=str(row.id), submit=submit)


def _facts(preview: Preview) -> list[Block]:
    first, *more = preview.facts()
    facts = b.section("\n".join([f"*{b.escaped(first)}*", *map(b.escaped, more)]))
    if preview.report.is_only_of_calls:
        return [facts, b.section("There is nothing to import. Export the results of the text message instead.")]
    return [facts]


def _newer_results(later: ResultsMessage) -> str:
    title = b.escaped(b.cut(later.title, _MAX_LABEL))
    return (
        f"⏱️ “{title}” was sent later, on {b.date(later.sent_at)}, and has newer results. Where it was texted to the same "
        "number, its result stays."
    )


def _recognized(layout: Layout) -> str:
    cells = layout.header.cells
    columns = [
        f"{column}: “{b.escaped(b.cut(cells[at].strip(), _MAX_LABEL))}”" for column, at in layout.positions.items()
    ]
    name = layout.messenger.title if layout.messenger else "Messenger not recognized"
    return f"{name}. Columns: {', '.join(columns)}." if columns else f"{name}."


def _question(number: int, question: Sequence[object]) -> Block:
    kind, name, *more = question
    block_id = f"{ids.ANSWER}.{number}"
    if kind == "column":
        titles = more[0] if more and isinstance(more[0], list) else []
        columns = [(str(title), str(at), "") for at, title in enumerate(titles)]
        label = _COLUMN_QUESTIONS[Column(str(name))]
        return b.input_block(block_id, label, b.menu("Choose a column", block_id, columns)[0])
    word = str(name)
    is_either = may_be_landline_or_inactive(word)
    first = [Meaning.LANDLINE, Meaning.INACTIVE] if is_either else []
    meanings = [(LABELS[meaning], meaning, "") for meaning in [*first, *(m for m in LABELS if m not in first)]]
    hint = "Some messengers mean a landline, others a number out of service." if is_either else None
    label = f"What does “{b.cut(word, _MAX_LABEL)}” mean?"
    return b.input_block(block_id, label, b.menu("Choose a meaning", block_id, meanings)[0], hint=hint)


def _problems(preview: Preview) -> list[Block]:
    if not preview.problems:
        return []
    lines = [
        f"Line {problem.line}: {b.escaped(b.cut(problem.reason, _MAX_REASON))}"
        for problem in preview.problems[:_MAX_PROBLEMS]
    ]
    if more := len(preview.problems) - _MAX_PROBLEMS:
        lines += [f"… and {plural(more, 'more row')}"] if more > 0 else []
    after = "After the import they come back to you as a file."
    return [b.divider(), b.section("\n".join(["*Rows that are unclear*", *lines])), b.context(after)]


def file_notice(link: str | None) -> list[Block]:
    """Ask the person to delete a file that Slack does not let the app delete."""
    if not link:
        return []
    sentence = f"🔒 Slack does not let the app delete your report. Please <{link}|open it> and delete it: it has numbers of families."
    return [b.section(sentence)]


def waiting_card(row: ReportImport, sentence: str) -> Card:
    """Return the message for a person who has closed the dialog."""
    button = b.button("Open preview", ids.OPEN_PREVIEW, str(row.id), style="primary")
    words = f"Your report on *{b.escaped(row.title)}* is read: {b.escaped(sentence)}"
    return b.card([b.section(words), *b.actions([button]), *file_notice(row.file_link)])


def done_card(row: ReportImport, preview: Preview) -> Card:
    facts = " ".join(map(b.escaped, preview.facts()))
    unclear = " The unclear rows are in the file above, each with its reason." if preview.problems else ""
    words = f"✅ The results of *{b.escaped(row.title)}* are imported: {facts}{unclear}"
    until = b.context(
        "The list changes when the message is final. You can undo this until the next mass message is final."
    )
    return b.card([b.section(words), until, *b.actions([undo_button(row.id)]), *file_notice(row.file_link)])


def undone_card(row: ReportImport) -> Card:
    return b.card(
        [b.section(f"↩️ Undone: the results of *{b.escaped(row.title)}* from this report do not count anymore.")]
    )


def failed_card(row: ReportImport, reason: str) -> Card:
    words = f"⚠️ Your report on *{b.escaped(row.title)}* was not imported. {b.escaped(reason)} Nothing was counted."
    return b.card([b.section(words), *file_notice(row.file_link)])

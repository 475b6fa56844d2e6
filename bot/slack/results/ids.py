"""The ids of the buttons and dialogs around imported results."""

OPEN, OPEN_PREVIEW, UNDO = "results.open", "results.open_preview", "results.undo"
SUBMITTED, ANSWERED = "results.submitted", "results.answered"
FILE, MESSAGE, TITLE, SENT_AT = "file", "message", "title", "sent_at"
ANSWER = "answer"  # With the position of the question: `answer.0`.

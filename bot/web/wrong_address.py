"""Answers requests at addresses that do not exist, and counts those that look like a provider's, which would otherwise be lost unseen."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.operations.refusals import UNKNOWN_PROVIDER
from bot.providers import registry
from bot.web.refusals import RefusalCounter

# The header with which each provider signs or marks its requests, as in its file in `bot/providers/`.
SIGNATURE_HEADERS = {
    "aeg-event-type": "azure",
    "messagebird-signature-jwt": "messagebird",
    "telnyx-signature-ed25519": "telnyx",
    "webhook-signature": "bird",
    "x-amz-sns-message-type": "aws",
    "x-cleanup-signature": "generic",
    "x-plivo-signature-v3": "plivo",
    "x-sinch-webhook-signature": "sinch",
    "x-twilio-signature": "twilio",
}


def answer_wrong_address(request: Request, refusals: RefusalCounter) -> Response:
    """Answer 404 with the address that the provider should call. Strangers who try addresses are not counted."""
    provider = next((name for header, name in SIGNATURE_HEADERS.items() if header in request.headers), None)
    if provider is None and not request.url.path.startswith("/receipts"):
        return JSONResponse({"error": "There is nothing at this address."}, 404)
    if provider is None:
        refusals.add(UNKNOWN_PROVIDER, "no such address; providers call /receipts/{provider}")
        return JSONResponse({"error": f"Unknown provider. Known providers: {', '.join(registry.BY_NAME)}."}, 404)
    refusals.add(provider, f"no such address; set /receipts/{provider} there")
    return JSONResponse({"error": f"Send receipts of {provider} to /receipts/{provider}."}, 404)

"""A Slack that says yes to everything at once: `python quick_slack.py PORT`."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def yes(_request):
    return JSONResponse({"ok": True, "view": {"id": "V1"}, "team_id": "T1", "user_id": "UBOT"})


async def healthz(_request):
    return JSONResponse({})


if __name__ == "__main__":
    routes = [Route("/healthz", healthz), Route("/{method:path}", yes, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_config=None, access_log=False)

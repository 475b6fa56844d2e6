"""Errors that are reported to Sentry: what the log says, and nothing that Sentry would add by itself."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.command_line import is_one_readable_line

from bot.cli.error_reports import only_safe_fields


@contextmanager
def sentry():
    """Yield the DSN of a server that takes reports, and the list of the texts it got."""
    reports = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reports.append(
                gzip.decompress(body).decode() if self.headers["Content-Encoding"] == "gzip" else body.decode()
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://key@127.0.0.1:{server.server_port}/1", reports
        server.shutdown()


def test_failed_job_is_reported_with_its_line_alone(run, slack, tmp_path):
    missing = tmp_path / "missing.zip"
    with sentry() as (dsn, reports):
        done = run("clock", "--once", **slack, SENTRY_DSN=dsn, SIS_ONEROSTER_CSV=str(missing))
    assert done.returncode == 1
    [event] = [json.loads(line) for report in reports for line in report.splitlines() if '"logentry"' in line]
    assert event["logentry"]["message"].startswith("syncs: ")
    assert event["logger"] == "bot.clock"
    assert not {"modules", "server_name", "extra", "breadcrumbs", "exception", "threads", "request", "user"} & set(
        event
    )


def test_line_of_another_package_is_not_reported():
    line = {"message": "Maria Rivera, +13125550142"}
    assert only_safe_fields({"logger": "slack_sdk.web", "logentry": line}, {}) is None


def test_only_known_fields_are_reported():
    event = {
        "logger": "bot.clock",
        "level": "error",
        "logentry": {"message": "%s: %s", "formatted": "syncs: failed", "params": ["syncs", "Maria Rivera"]},
        "extra": {"student": "Maria Rivera"},
        "exception": {"values": [{"value": "Maria Rivera"}]},
    }
    assert "Maria" not in json.dumps(only_safe_fields(event, {}))


def test_dsn_that_is_none_is_refused_in_one_line(run):
    done = run("clock", "--once", SENTRY_DSN="nonsense")
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr)
    assert "SENTRY_DSN" in done.stderr

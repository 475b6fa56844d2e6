"""Deltas of a OneRoster server: only enrollments are requested by date of change, and only where the server supports it."""

from datetime import timedelta

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.sis_nights import Nights, changed
from support.sis_server import Fault, serving

from bot.sync.hold import SyncHeld

DAY = timedelta(days=1)


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "small")


@pytest.fixture(params=[1, 2])
def sis(request, nights):
    """The small district, read once; its rows are as old as its school year."""
    with serving(nights.tables, request.param, page_size=2) as sis:
        nights.read(sis.source())
        sis.requests.clear()
        yield sis


def enrollments(sis):
    return sis.tables["enrollments"]


def add_enrollment(sis, person_id, changed_at, **cells):
    row = server.as_json(
        {name: [] for name in server.ENDPOINTS} | {"enrollments": [bundles.enrolled(person_id, **cells)]}, 1
    )
    enrollments(sis).append(row["enrollments"][0] | {"dateLastModified": changed_at})


def drop(sis, sourced_id):
    """Delete a row without marking it as deleted."""
    sis.tables["enrollments"] = [row for row in enrollments(sis) if row["sourcedId"] != sourced_id]


def requested_by_change(sis):
    return {request.split("?")[0] for request in sis.requests if "filter=" in request}


def read(nights, sis, **options):
    """Return the report of the next sync, and the mode of its enrollments."""
    sis.requests.clear()
    report = nights.read(sis.source(), **options)
    return report, report.files["enrollments"].mode


def test_only_enrollments_are_requested_by_change(nights, sis):
    report, mode = read(nights, sis)
    assert mode == "delta"
    assert requested_by_change(sis) == {"enrollments"}
    assert {name: file.mode for name, file in report.files.items() if file.mode != "bulk"} == {"enrollments": "delta"}
    assert changed(report) == {}


def test_changes_are_requested_from_a_day_before_the_watermark(nights, sis):
    read(nights, sis)
    [request, *_] = [request for request in sis.requests if request.startswith("enrollments")]
    assert "filter=dateLastModified%3E%272026-07-31T00%3A00%3A00.000Z%27" in request


def test_added_and_deleted_enrollments_are_read_and_others_stay(nights, sis):
    enrollments(sis)[2] |= {"status": "tobedeleted", "dateLastModified": "2026-11-24T09:00:00.000Z"}
    add_enrollment(sis, "lea", "2026-11-24T09:30:00.000Z", in_class="5A", sourcedId="E-new", beginDate="2026-11-25")
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read) == ("delta", 4)
    assert nights.active("class_students") == {"E-5A-sam", "E-new"}
    assert nights.active("class_teachers") == {"E-5A-ana"}
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read, changed(report)) == ("delta", 2, {})


def test_silently_deleted_row_is_noticed_by_the_number_of_rows(nights, sis):
    assert read(nights, sis)[1] == "delta"
    drop(sis, "E-5A-lea")
    report, mode = read(nights, sis)
    assert (mode, set(changed(report))) == ("bulk", {"class_students"})
    assert nights.active("class_students") == {"E-5A-sam"}
    assert read(nights, sis)[1] == "delta"


def test_silently_deleted_row_is_noticed_beside_a_new_one(nights, sis):
    drop(sis, "E-5A-lea")
    add_enrollment(sis, "lea", "2026-11-24T09:30:00.000Z", in_class="5A", sourcedId="E-new")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam", "E-new"}
    assert read(nights, sis)[1] == "delta"


def test_rows_that_are_not_read_do_not_hide_a_deletion(nights, sis):
    """They are in the server's number, but not in our tables."""
    add_enrollment(sis, "clara", "2026-11-24T09:30:00.000Z", sourcedId="E-aide", role="aide")
    add_enrollment(sis, "lea", "2026-11-24T09:30:00.000Z", sourcedId="E-lost", in_class="nowhere")
    assert read(nights, sis)[1] == "delta"
    assert read(nights, sis)[1] == "delta"
    drop(sis, "E-5A-lea")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam"}


def test_marked_deletions_and_a_dry_run_need_no_whole_read(nights, sis):
    enrollments(sis)[2] |= {"status": "tobedeleted", "dateLastModified": "2026-11-24T09:00:00.000Z"}
    assert read(nights, sis, dry_run=True)[1] == "delta"
    assert read(nights, sis)[1] == "delta"
    report, mode = read(nights, sis)
    assert (mode, changed(report)) == ("delta", {})


def test_silently_deleted_row_is_gone_within_a_week_without_a_number_of_rows(nights, sis):
    sis.counts = False
    drop(sis, "E-5A-lea")
    for _ in range(6):
        assert read(nights, sis)[1] == "delta"
    assert "E-5A-lea" in nights.active("class_students")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam"}
    assert read(nights, sis)[1] == "delta"


@pytest.mark.parametrize("changes", ["refused", "lost"])
def test_server_without_changes_is_read_completely(nights, sis, changes):
    sis.changes = changes
    drop(sis, "E-5A-lea")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam"}


def test_server_that_ignores_the_filter_changes_nothing(nights, sis):
    sis.changes = "ignored"
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read, changed(report)) == ("delta", 3, {})


def test_changes_with_a_gap_are_read_completely(nights, sis):
    sis.faults = [
        Fault("enrollments", from_offset=2, after=lambda _page, _request: server.JSONResponse({"enrollments": []}))
    ]
    report, mode = read(nights, sis)
    assert (mode, changed(report)) == ("bulk", {})


def test_server_without_dates_is_read_completely(nights):
    with serving(nights.tables, 2) as sis:
        for row in enrollments(sis):
            del row["dateLastModified"]
        nights.read(sis.source())
        assert read(nights, sis)[1] == "bulk"


@pytest.mark.parametrize(
    "written", ["yesterday", "", None, 17, ["2026-11-24T09:00:00.000Z"], "0001-01-01T00:00:00+14:00"]
)
def test_invalid_date_of_change_is_ignored(nights, written):
    with serving(nights.tables, 2) as sis:
        for row in enrollments(sis):
            row["dateLastModified"] = written
        nights.read(sis.source())
        report = nights.read(sis.source())
    assert changed(report) == {}


def test_date_in_the_future_does_not_hide_changes(nights, sis):
    enrollments(sis)[0]["dateLastModified"] = "2027-11-24T09:00:00.000Z"
    read(nights, sis, whole_every=timedelta())
    add_enrollment(sis, "lea", nights.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), sourcedId="E-new")
    assert read(nights, sis)[1] == "delta"
    assert "E-new" in nights.active("class_students")


def test_another_source_is_read_completely(nights, sis):
    nights.sync()
    assert read(nights, sis)[1] == "bulk"


def test_complete_read_can_be_requested(nights, sis):
    assert read(nights, sis, whole_every=timedelta())[1] == "bulk"
    assert requested_by_change(sis) == set()


def test_sync_that_wrote_nothing_keeps_the_watermark(nights, sis):
    """A dry run, and a held sync."""
    add_enrollment(sis, "lea", "2026-11-24T09:30:00.000Z", sourcedId="E-new")
    read(nights, sis, dry_run=True)
    people = sis.tables["users"]
    sis.tables["users"] = []
    with pytest.raises(SyncHeld):
        read(nights, sis)
    sis.tables["users"] = people
    nights.now += 3 * DAY
    assert read(nights, sis)[1] == "delta"
    assert "E-new" in nights.active("class_students")


def test_lost_role_of_1_2_loses_its_rights_the_same_night(nights):
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
        clara = next(user for user in sis.tables["users"] if user["sourcedId"] == "clara")
        clara["roles"] = []
        assert read(nights, sis)[1] == "delta"
    assert "clara" not in nights.active("staff")

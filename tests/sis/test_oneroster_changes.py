"""What changed since the last sync, asked of a OneRoster server: of the enrolments, and only where it tells."""

from datetime import timedelta

import pytest
from support import sis_bundles as bundles
from support import sis_server as server
from support.sis_nights import Nights, changed
from support.sis_server import Mishap, serving

from bot.sync.hold import SyncHeld

DAY = timedelta(days=1)


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "small")


@pytest.fixture(params=[1, 2])
def sis(request, nights):
    """The small district, read once; its rows are as old as its school year."""
    with serving(nights.tables, request.param, most=2) as sis:
        nights.read(sis.source())
        sis.asked.clear()
        yield sis


def enrolments(sis):
    return sis.tables["enrollments"]


def enrol(sis, who, on, **cells):
    row = server.as_json({name: [] for name in server.ENDPOINTS} | {"enrollments": [bundles.enrolled(who, **cells)]}, 1)
    enrolments(sis).append(row["enrollments"][0] | {"dateLastModified": on})


def drop(sis, sourced_id):
    """As a server does that deletes rows and tells nobody."""
    sis.tables["enrollments"] = [one for one in enrolments(sis) if one["sourcedId"] != sourced_id]


def asked_for_changes(sis):
    return {one.split("?")[0] for one in sis.asked if "filter=" in one}


def read(nights, sis, **options):
    """The report of the next sync, and how its enrolments were read."""
    sis.asked.clear()
    report = nights.read(sis.source(), **options)
    return report, report.files["enrollments"].mode


def test_only_enrolments_are_asked_for_by_change_and_all_people_every_night(nights, sis):
    report, mode = read(nights, sis)
    assert mode == "delta"
    assert asked_for_changes(sis) == {"enrollments"}
    assert {name: one.mode for name, one in report.files.items() if one.mode != "bulk"} == {"enrollments": "delta"}
    assert changed(report) == {}


def test_a_change_is_asked_for_from_a_day_before_the_newest_that_was_told(nights, sis):
    read(nights, sis)
    [asked, *_] = [one for one in sis.asked if one.startswith("enrollments")]
    assert "filter=dateLastModified%3E%272026-07-31T00%3A00%3A00.000Z%27" in asked


def test_who_joins_a_class_and_who_leaves_it_is_read_and_all_others_stay(nights, sis):
    enrolments(sis)[2] |= {"status": "tobedeleted", "dateLastModified": "2026-11-24T09:00:00.000Z"}
    enrol(sis, "lea", "2026-11-24T09:30:00.000Z", in_class="5A", sourcedId="E-new", beginDate="2026-11-25")
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read) == ("delta", 4)
    assert nights.active("class_students") == {"E-5A-sam", "E-new"}
    assert nights.active("class_teachers") == {"E-5A-ana"}
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read, changed(report)) == ("delta", 2, {})


def test_a_row_that_is_deleted_without_a_word_is_gone_within_a_week(nights, sis):
    drop(sis, "E-5A-lea")
    for _ in range(6):
        assert read(nights, sis)[1] == "delta"
    assert "E-5A-lea" in nights.active("class_students")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam"}
    assert read(nights, sis)[1] == "delta"


@pytest.mark.parametrize("changes", ["refused", "lost"])
def test_a_server_that_does_not_tell_changes_is_asked_for_everything(nights, sis, changes):
    """At least the newest that we know must come again."""
    sis.changes = changes
    drop(sis, "E-5A-lea")
    assert read(nights, sis)[1] == "bulk"
    assert nights.active("class_students") == {"E-5A-sam"}


def test_a_server_that_gives_everything_when_asked_for_changes_changes_nothing(nights, sis):
    sis.changes = "ignored"
    report, mode = read(nights, sis)
    assert (mode, report.files["enrollments"].read, changed(report)) == ("delta", 3, {})


def test_changes_with_a_gap_are_not_believed(nights, sis):
    sis.mishaps = [
        Mishap("enrollments", from_offset=2, after=lambda _page, _request: server.JSONResponse({"enrollments": []}))
    ]
    report, mode = read(nights, sis)
    assert (mode, changed(report)) == ("bulk", {})


def test_a_server_that_dates_nothing_is_read_whole(nights):
    with serving(nights.tables, 2) as sis:
        for one in enrolments(sis):
            del one["dateLastModified"]
        nights.read(sis.source())
        assert read(nights, sis)[1] == "bulk"


@pytest.mark.parametrize("said", ["yesterday", "", None, 17, ["2026-11-24T09:00:00.000Z"], "0001-01-01T00:00:00+14:00"])
def test_a_date_of_change_that_is_none_is_no_mark(nights, said):
    with serving(nights.tables, 2) as sis:
        for one in enrolments(sis):
            one["dateLastModified"] = said
        nights.read(sis.source())
        report = nights.read(sis.source())
    assert changed(report) == {}


def test_a_change_dated_next_year_does_not_hide_those_of_tonight(nights, sis):
    enrolments(sis)[0]["dateLastModified"] = "2027-11-24T09:00:00.000Z"
    read(nights, sis, whole_every=timedelta())
    enrol(sis, "lea", nights.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), sourcedId="E-new")
    assert read(nights, sis)[1] == "delta"
    assert "E-new" in nights.active("class_students")


def test_after_another_source_everything_is_read(nights, sis):
    nights.sync()
    assert read(nights, sis)[1] == "bulk"


def test_everything_is_read_when_that_is_asked_for(nights, sis):
    assert read(nights, sis, whole_every=timedelta())[1] == "bulk"
    assert asked_for_changes(sis) == set()


def test_a_sync_that_wrote_nothing_moves_no_mark(nights, sis):
    """A dry run, one that the brake stopped, and one that failed."""
    enrol(sis, "lea", "2026-11-24T09:30:00.000Z", sourcedId="E-new")
    read(nights, sis, dry_run=True)
    people = sis.tables["users"]
    sis.tables["users"] = []
    with pytest.raises(SyncHeld):
        read(nights, sis)
    sis.tables["users"] = people
    nights.now += 3 * DAY
    assert read(nights, sis)[1] == "delta"
    assert "E-new" in nights.active("class_students")


def test_whoever_lost_their_role_in_1_2_loses_its_rights_the_same_night(nights):
    with serving(nights.tables, 2) as sis:
        nights.read(sis.source())
        clara = next(one for one in sis.tables["users"] if one["sourcedId"] == "clara")
        clara["roles"] = []
        assert read(nights, sis)[1] == "delta"
    assert "clara" not in nights.active("staff")

"""The sync brings the roster of the student information system (SIS) into our tables, each night or by hand.

Steps of `run.run_sync`:
1. `read` the source: all of it, or the lines that changed since the last sync (`line_diff`). Its rows are staged (`stage`), with
   our own rows where the source has none (`carry_over`) and a CSV of contacts beside it (`contacts_overlay`). `target_tables`
   computes what our tables should contain, and rejects the rows that fit nowhere. `identity` recognizes people under new ids.
2. `diff_merge` compares each table with its target.
3. `hold`: if the differences are those of no school day (`hold_checks`), the sync stops and waits for a person; `ended_rights` ends the
   access that ended in the SIS.
4. `diff_merge` applies the differences; with the contacts, `reconcile` compares the edits of staff with the new values.
   At the end `identity` stores the new ids.
5. `runs` stores the result, `report` counts it for terminals, and `notices` sends it to people in Slack.

table                              written by                   contents
stage_*                            stage, carry_over, overlay   parsed rows; unread ids; rejections
export_lines                       line_diff                    tonight's raw lines and their hashes
changed_lines, requested_lines     line_diff, read              lines that changed; lines to parse
changed_people, affected_people    read                         people that a narrowed read covers
overlay_rows, overlay_student_*    overlay_rows                 rows of the contacts file, and whose contacts they are
overlay_*                          contacts_overlay             contacts beside OneRoster
target_*, unmatched_*              target_tables                what our tables should contain; what fits nowhere
gone_*, new_*, *_pairs, rekeyed_*  identity                     who is gone and new tonight, and is the same person
changes_at_risk                    identity                     edits, removals, claims of people who may be the same
change_*                           diff_merge                   differences
hold_*                             hold_checks                  changed numbers of contacts; students who leave
(all of these are temporary)
schools ... class_students         diff_merge                   the roster; other_numbers of its contacts
edits, cleanup_list, audit         reconcile                    states of edits; listed numbers that changed
former_contact_ids                 identity                     ids that contacts had before
staff ... class_teachers           ended_rights                 rights that end although the sync is held
listed_students                    triggers, at each commit     students with listed contacts
sync_runs, sync_rejections         runs, hold                   one row for each run; what it left out
known_lines (unlogged)             line_diff                    hashes of the last export
sync_notices                       notices                      outbox of direct messages

Locks, in this order: advisory `nightly sync` (in the clock), advisory `roster.sync` (the whole run, outside transactions), then for
each table a short transaction with the rows that differ; for contacts also their cleanup list entries, then their edits. The
list's own lock is taken in separate transactions, after the tables with names.

States of a run: running -> done | held | failed. After `held`, a person confirms, and the next run may change as much as they
saw; or they refuse, and the next night tries again. A run that is still running when the next one begins was killed: failed.
"""
